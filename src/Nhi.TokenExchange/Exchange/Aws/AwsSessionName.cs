using System.Buffers;

namespace Nhi.TokenExchange;

/// <summary>The name of a session (<c>RoleSessionName</c>): by it CloudTrail, a trust policy (<c>sts:RoleSessionName</c>) and a deny (<c>aws:userid</c>) know which run of which job it is.</summary>
internal static class AwsSessionName
{
    private const int Longest = 64;
    private const string Unnamed = "nhi-job";

    // "AssumeRoleWithWebIdentity": [\w+=,.@-]*, 2 to 64 of them
    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-");

    /// <summary>Pipeline, run and task, joined by hyphens. Where that is too long the pipeline is cut: which run it is says more.</summary>
    public static string Of(JobContext job)
    {
        string run = Cut(Join(job.Run, job.Task), Longest);
        string pipeline = Cut(job.Pipeline ?? "", run.Length == 0 ? Longest : Longest - 1 - run.Length);
        string name = Join(pipeline, run);
        return name.Length < 2 ? Unnamed : string.Concat(name.Select(letter => Allowed.Contains(letter) ? letter : '-'));
    }

    /// <summary>What is wrong with a name; null if nothing is.</summary>
    public static string? FaultOf(string name) =>
        name.Length is < 2 or > Longest || name.AsSpan().ContainsAnyExcept(Allowed) ? $"is no name of a session: 2 to {Longest} letters, digits and _+=,.@-" : null;

    private static string Join(params string?[] parts) => string.Join('-', parts.Where(part => !string.IsNullOrEmpty(part)));

    private static string Cut(string text, int longest) => text.Length <= longest ? text : text[..Math.Max(0, longest)];
}
