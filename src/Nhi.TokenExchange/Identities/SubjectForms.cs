namespace Nhi.TokenExchange;

/// <summary>The two forms that some platforms have for the subject of one and the same workload: a trust that has the one refuses the other.</summary>
internal static class SubjectForms
{
    private const string GitHub = "GitHub has two forms of one subject: with the ids of owner and repository for those that are new since July 2026, without them for older ones";
    private const string AzureDevOps = "Azure DevOps has two forms of one subject: sc://organisation/project/connection with its older issuer, /eid1/…/sc/… with Entra ID's";

    /// <summary>Says the other form of a proof's subject; null if its platform has one form alone.</summary>
    /// <param name="proof">What the proof says.</param>
    public static string? OtherFormOf(Jwt proof)
    {
        if (AzureDevOpsFormOf(proof.Subject) is { } form)
            return $"{AzureDevOps}; presented is the {(form == Form.Older ? "first" : "second")}.";
        if (GitHubFormOf(proof.Subject) is not { } of)
            return null;
        string? other = of == Form.Newer ? WithoutIds(proof.Subject) : WithIds(proof);
        return other is null ? null : $"{GitHub}. Presented is '{ExceptionText.Clean(proof.Subject, 300)}'; a trust that was made for the other form has '{ExceptionText.Clean(other, 300)}'.";
    }

    /// <summary>Says that two subjects are two forms; null if they are not, or if more is different.</summary>
    /// <param name="expected">What the trust has.</param>
    /// <param name="presented">What the proof says.</param>
    public static string? DifferenceOf(string expected, string presented)
    {
        if (AzureDevOpsFormOf(expected) is { } trusted && AzureDevOpsFormOf(presented) is { } said && trusted != said)
            return $"{AzureDevOps}; expected is '{ExceptionText.Clean(expected, 300)}', presented '{ExceptionText.Clean(presented, 300)}'";
        return GitHubFormOf(expected) is { } one && GitHubFormOf(presented) is { } other && one != other && WithoutIds(expected) == WithoutIds(presented)
            ? $"{GitHub}; expected is '{ExceptionText.Clean(expected, 300)}', presented '{ExceptionText.Clean(presented, 300)}'"
            : null;
    }

    // learn.microsoft.com/azure/devops/pipelines/release/convert-service-connections
    private static Form? AzureDevOpsFormOf(string subject) =>
        subject.StartsWith("sc://", StringComparison.Ordinal) ? Form.Older
        : subject.StartsWith("/eid1/", StringComparison.Ordinal) && subject.Contains("/sc/", StringComparison.Ordinal) ? Form.Newer
        : null;

    // docs.github.com/actions/reference/security/oidc: repo:{owner}[@{id}]/{name}[@{id}]:{rest}
    private static Form? GitHubFormOf(string subject)
    {
        if (Parts(subject) is not { } parts)
            return null;
        bool ofOwner = HasId(parts.Owner), ofName = HasId(parts.Name);
        return ofOwner && ofName ? Form.Newer : !ofOwner && !ofName ? Form.Older : null;
    }

    private static string? WithIds(Jwt proof) =>
        Parts(proof.Subject) is { } parts && proof["repository_owner_id"] is { } owner && proof["repository_id"] is { } name ? $"repo:{parts.Owner}@{owner}/{parts.Name}@{name}:{parts.Branch}" : null;

    private static string? WithoutIds(string subject) =>
        Parts(subject) is { } parts ? $"repo:{WithoutId(parts.Owner)}/{WithoutId(parts.Name)}:{parts.Branch}" : null;

    private static (string Owner, string Name, string Branch)? Parts(string subject)
    {
        if (subject.Split(':', 3) is not ["repo", var repository, var rest] || repository.Split('/') is not [{ Length: > 0 } owner, { Length: > 0 } name])
            return null;
        return (owner, name, rest);
    }

    private static bool HasId(string name) => name.LastIndexOf('@') is > 0 and int at && at < name.Length - 1 && name.AsSpan(at + 1).IndexOfAnyExceptInRange('0', '9') < 0;

    private static string WithoutId(string name) => HasId(name) ? name[..name.LastIndexOf('@')] : name;

    private enum Form
    {
        Older,
        Newer,
    }
}
