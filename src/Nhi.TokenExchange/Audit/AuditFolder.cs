using System.Globalization;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange;

/// <summary>The folder of the audit's files, and what they are called: <c>pipeline-run-pid-started.audit.jsonl</c>, from the second part on <c>….2.audit.jsonl</c>; where somebody has taken that name, <c>….2.1.audit.jsonl</c>.</summary>
internal sealed partial class AuditFolder
{
    public const string Extension = ".audit.jsonl";

    private const int LongestName = 60;

    private readonly string _extension;

    private AuditFolder(string path, string extension) => (Path, _extension) = (path, extension);

    public string Path { get; }

    /// <summary>Opens the folder; makes it, for its owner alone, in a folder that is there.</summary>
    /// <exception cref="TokenExchangeException">It can't be made, or is not safe.</exception>
    /// <param name="path">The folder.</param>
    /// <param name="extension">How the names of its files end.</param>
    public static AuditFolder Open(string path, string extension = Extension)
    {
        PrivateFolder.Open(path, (what, hint, inner) => Unsafe(path, what, hint, inner));
        return new AuditFolder(path, extension);
    }

    public static TokenExchangeException Unsafe(string path, string what, string hint, Exception? inner) =>
        new(ErrorCodes.AuditFolderUnsafe, ExchangeStage.Configure, $"The folder of the audit '{ExceptionText.Clean(path, 200)}' {what}.", inner) { Hint = hint };

    /// <summary>The name of a chain's first part. Chains of one process have different ones, as long as they start at different milliseconds.</summary>
    public string FirstPart(JobContext job, DateTimeOffset started) =>
        System.IO.Path.Combine(Path, string.Create(CultureInfo.InvariantCulture, $"{PipelineName(job)}-{NameOf(job.Run, "none")}-{Environment.ProcessId}-{started.UtcDateTime.ToString(AuditFileName.InstantFormat, CultureInfo.InvariantCulture)}{_extension}"));

    /// <summary>The name of a further part of a chain.</summary>
    /// <param name="firstPart">That of the first.</param>
    /// <param name="part">Its number.</param>
    /// <param name="taken">How many names before this one were taken by others.</param>
    public string NextPart(string firstPart, int part, int taken) =>
        string.Create(CultureInfo.InvariantCulture, $"{firstPart[..^_extension.Length]}.{part}{(taken == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $".{taken}"))}{_extension}");

    /// <summary>Whether there is anything of that name.</summary>
    public static bool IsTaken(string path) => File.Exists(path) || Directory.Exists(path) || UnixFile.At(path, followLink: false) is not null;

    /// <summary>The last parts of the chains that are there, of all pipelines whose name begins with that of this one; the newest chains first. Of one part there are several files where somebody had taken its name.</summary>
    public IEnumerable<string[]> LastParts(JobContext job) =>
        from file in Directory.EnumerateFiles(Path, $"{PipelineName(job)}-*{Extension}")
        let name = AuditFileName.Of(file)
        where name is not null
        group (File: file, name.Part) by (name.Chain, name.Started) into parts
        orderby parts.Key.Started descending
        let last = parts.Max(part => part.Part)
        select parts.Where(part => part.Part == last).Select(part => part.File).ToArray();

    /// <summary>Orders files: the oldest chain first, each chain's in the order of its parts.</summary>
    public static IEnumerable<string> InOrder(IEnumerable<string> files) =>
        from file in files
        let name = AuditFileName.Of(file)
        orderby name?.Started ?? "", name?.Chain ?? "", name?.Part ?? 0, file.Length, file
        select file;

    private static string PipelineName(JobContext job) => NameOf(job.Pipeline, "job");

    private static string NameOf(string? text, string ifNone)
    {
        if (string.IsNullOrEmpty(text))
            return ifNone;
        string name = Unfit().Replace(text.Length > LongestName ? text[..LongestName] : text, "-");
        return name[0] == '.' ? $"-{name[1..]}" : name;   // else it would be hidden
    }

    [GeneratedRegex("[^A-Za-z0-9._-]", RegexOptions.CultureInvariant)]
    private static partial Regex Unfit();
}
