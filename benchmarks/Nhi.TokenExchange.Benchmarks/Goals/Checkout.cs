using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>The checkout that this program was built in: where its reports go, and what it was built of.</summary>
public static class Checkout
{
    /// <summary>What stands for a commit that nobody can name.</summary>
    public const string Unknown = "unknown";

    private static readonly string[] Program = ["src", "benchmarks", "Directory.Build.props", "Directory.Packages.props", ":(exclude)benchmarks/results", ":(exclude)*.md"];

    // Of what a first token is measured: the library, the programs that are started, and what starts them.
    private static readonly string[] FirstTokens =
    [
        "src", "benchmarks/Nhi.TokenExchange.ColdStart", "benchmarks/Nhi.TokenExchange.Benchmarks/ColdStart", "Directory.Build.props", "Directory.Packages.props", ":(exclude)*.md",
    ];

    public static string Root { get; } = FindRoot();

    public static string Results { get; } = Path.Combine(Root, "benchmarks", "results");

    /// <returns>The commit, with a word if the program was changed since; <see cref="Unknown"/> without git.</returns>
    public static string Commit()
    {
        string commit = Git(["rev-parse", "--short=12", "HEAD"]);
        return commit == Unknown || Git(["status", "--porcelain", "--", .. Program]).Length == 0 ? commit : $"{commit} with changes";
    }

    /// <summary>Whether the library, and what measures first tokens, are the same in two commits. Of a tree with changes, and of a commit that is not here, nobody knows.</summary>
    public static bool IsSameForFirstTokens(string commit, string other)
    {
        ArgumentNullException.ThrowIfNull(commit);
        ArgumentNullException.ThrowIfNull(other);
        return IsClean(commit) && IsClean(other) && (commit == other || Git(["diff", "--name-only", commit, other, "--", .. FirstTokens]).Length == 0);
    }

    /// <summary>Whether a commit says all: there were no changes since.</summary>
    public static bool IsClean(string commit) => commit.Length > 0 && commit.All(char.IsAsciiHexDigit);

    /// <summary>The packages that a project of <c>benchmarks</c> refers to, as its lock file resolves them: an assembly's own number may be another than its package's.</summary>
    public static SortedDictionary<string, string> PackagesOf(string project)
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllText(Path.Combine(Root, "benchmarks", project, "packages.lock.json")));
        var versions = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (JsonProperty package in file.RootElement.GetProperty("dependencies").GetProperty("net10.0").EnumerateObject())
        {
            // IMemoryCache is a peer, and comes with others.
            if (package.Value.GetProperty("type").ValueEquals("Direct") || package.Name == "Microsoft.Extensions.Caching.Memory")
                versions[package.Name] = package.Value.GetProperty("resolved").GetString()!;
        }
        return versions;
    }

    private static string Git(string[] arguments)
    {
        try
        {
            using Process git = Process.Start(new ProcessStartInfo("git", arguments) { WorkingDirectory = Root, RedirectStandardOutput = true })!;
            string output = git.StandardOutput.ReadToEnd();
            git.WaitForExit();
            return git.ExitCode == 0 ? output.Trim() : Unknown;
        }
        catch (Win32Exception)
        {
            return Unknown;   // no git here
        }
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Nhi.TokenExchange.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException("Run this from within the repository.");
    }
}
