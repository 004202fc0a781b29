using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Nhi.TokenExchange.Tests;

/// <summary>What a report that tests write is of.</summary>
internal static class ReportOrigin
{
    /// <summary>Day, commit, machine and runtime, in one sentence. The commit is the one from which the library was built; changes beside it are not told.</summary>
    public static string Sentence()
    {
        string version = typeof(JobSession).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        string commit = version.Split('+') is [_, { Length: >= 12 } hash] ? $"commit {hash[..12]}" : "no commit known";
        return string.Create(CultureInfo.InvariantCulture,
            $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {commit}; {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}, {RuntimeInformation.FrameworkDescription}.");
    }
}
