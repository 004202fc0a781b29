namespace Nhi.TokenExchange;

/// <summary>Where a fact of a job was said.</summary>
/// <param name="Text">For the audit: <c>code</c>, <c>configuration</c>, <c>variable GITHUB_RUN_ID of GitHub Actions</c>, <c>claim run_id of GitHub Actions</c>.</param>
internal sealed record FactOrigin(string Text)
{
    public static FactOrigin Code { get; } = new("code");

    public static FactOrigin Configuration { get; } = new("configuration");

    /// <summary>For a line of the log; null for what the job says of itself.</summary>
    public string? Short { get; private init; }

    /// <summary>The platform whose variable said it; null if somebody else did.</summary>
    public string? Runtime { get; private init; }

    private bool IsNameOfClaim { get; init; }

    /// <summary>A variable that the platform sets for each of its jobs.</summary>
    /// <param name="platform">The platform, by the name that its proofs are recognized under.</param>
    /// <param name="variable">The variable.</param>
    /// <param name="isNameOfClaim">Whether the platform's proofs are sure to call the same thing by the same name.</param>
    public static FactOrigin OfVariable(string platform, string variable, bool isNameOfClaim) =>
        new($"variable {variable} of {platform}") { Short = variable, Runtime = platform, IsNameOfClaim = isNameOfClaim };

    /// <summary>A claim of the proof, which attests it.</summary>
    public static FactOrigin OfClaim(string platform, string claim) => new($"claim {claim} of {platform}") { Short = $"claim {claim}" };

    /// <summary>Whether a proof of this platform that says otherwise is another job's: the variable and the claim name the same thing.</summary>
    public bool MustAgreeWith(string? platform) => IsNameOfClaim && Runtime == platform;
}
