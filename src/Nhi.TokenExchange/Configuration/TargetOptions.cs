namespace Nhi.TokenExchange;

/// <summary>What may be said about a target in code. Exactly one of <see cref="Identity"/> and <see cref="Through"/> is set.</summary>
public sealed class TargetOptions
{
    /// <summary>The identity whose proof is exchanged.</summary>
    public string? Identity { get; set; }

    /// <summary>Another target whose bearer token is the proof: how hops chain.</summary>
    public string? Through { get; set; }

    /// <summary>The identity that acts on behalf of the subject (RFC 8693 <c>actor_token</c>); none by default.</summary>
    public string? Actor { get; set; }

    /// <summary>
    /// The facts of the job that the proof has to attest, by a claim that its platform is known to make, and not otherwise than the job says them. None by default. A proof that does not is
    /// refused (NHI2011) before it is sent. At a target that goes <see cref="Through"/> another it is the proof of the first one that counts.
    /// </summary>
    public JobFacts AttestedFacts { get; set; }

    /// <summary>
    /// The issuer (<c>iss</c>, compared character by character) whose proofs attest facts of the job; of no other they count. Null, the default, takes the public issuer of the platform: GitHub.com, GitLab.com,
    /// Azure DevOps, Buildkite, Bitbucket, HCP Terraform, Vercel. Where anybody may host the platform (Kubernetes, GitLab, GitHub Enterprise Server, Terraform Enterprise) nothing is attested unless its issuer is named
    /// here. Not for a target that goes <see cref="Through"/> another. Whether the proof is signed by that issuer is verified by whom it is sent to.
    /// </summary>
    public string? AttestingIssuer { get; set; }

    /// <summary>The scopes to ask for; none by default, which leaves them to the issuer.</summary>
    public ScopeSet Scopes { get; set; }

    /// <summary>How long a credential is handed out at most. Default 1 hour; from 1 second to 12 hours. The issuer may give less.</summary>
    public TimeSpan MaxLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The origins (scheme, host, port) that a handler of this target sends the credential to. Empty: the issuer's own origin.</summary>
    public IList<Uri> AllowedOrigins { get; } = [];
}
