namespace Nhi.TokenExchange;

/// <summary>The issuers that a platform itself runs, for all its customers: where a proof names one, its claims are the platform's.</summary>
/// <remarks>
/// A host alone is enough only where it serves nothing but issuers; elsewhere what customers publish may stand under it. A platform that anybody may host has none here, or one beside those of its
/// customers; which of those counts can only be said by whoever set up the job (<see cref="TargetOptions.AttestingIssuer"/>). That the claims are the platform's does not say whose job it is:
/// all its customers have such proofs. That is for issuer and subject to say, and for the policies here and at the token endpoint to look at.
/// </remarks>
internal static class PublicIssuers
{
    /// <summary>Whether an issuer is one of the platform's own.</summary>
    /// <param name="platform">As <see cref="WorkloadRecognition.PlatformOf"/> names it.</param>
    /// <param name="issuer"><c>iss</c> of the proof.</param>
    public static bool Has(string platform, string issuer) => platform switch
    {
        // docs.github.com/actions/reference/security/oidc: perhaps with an enterprise's slug; data residency has a host of its own, run by GitHub
        "GitHub Actions" => HostOf(issuer) is { } host && (host == "token.actions.githubusercontent.com" || (host.StartsWith("token.actions.", StringComparison.Ordinal) && host.EndsWith(".ghe.com", StringComparison.Ordinal))),
        "GitLab CI" => issuer == "https://gitlab.com",
        // https://vstoken.dev.azure.com/{organisation's id}; the host serves nothing else
        "Azure DevOps" => HostOf(issuer) == "vstoken.dev.azure.com",
        "Buildkite" => issuer == "https://agent.buildkite.com",
        // The host serves customers' files, too.
        "Bitbucket Pipelines" => issuer.StartsWith("https://api.bitbucket.org/2.0/workspaces/", StringComparison.Ordinal) && issuer.EndsWith("/pipelines-config/identity/oidc", StringComparison.Ordinal) && issuer.Count(c => c == '/') == 8,
        "HCP Terraform" => issuer == "https://app.terraform.io",
        // With or without a team's slug.
        "Vercel" => HostOf(issuer) == "oidc.vercel.com",
        _ => false,
    };

    /// <summary>The host of an issuer at https and its usual port, in lower case; null of any other.</summary>
    public static string? HostOf(string issuer) =>
        Uri.TryCreate(issuer, UriKind.Absolute, out Uri? address) && address.Scheme == Uri.UriSchemeHttps && address.IsDefaultPort ? address.Host : null;
}
