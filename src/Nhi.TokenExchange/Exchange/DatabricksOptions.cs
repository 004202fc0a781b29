namespace Nhi.TokenExchange;

/// <summary>What may be said about an exchange at Databricks.</summary>
public sealed class DatabricksOptions
{
    /// <summary>The account id: the account's endpoint is asked instead of the workspace's. Letters, digits and hyphens. Needed for a host that begins with <c>accounts.</c></summary>
    public string? AccountId { get; set; }

    /// <summary>For whom the proof has to be made. Default: the account id if there is one, else the URI of the token endpoint; what the federation policy lists wins.</summary>
    public string? SubjectAudience { get; set; }

    /// <summary>How the proof is presented. Default <see cref="DatabricksDialect.TokenExchange"/>; to narrow a Databricks token, <see cref="DatabricksDialect.JwtBearer"/>.</summary>
    public DatabricksDialect Dialect { get; set; }

    /// <summary>
    /// The <c>authorization_details</c> (RFC 9396): a JSON array of objects, each with a <c>type</c>, that say which objects the credential is for and what may be done with them.
    /// What is granted must be the same or narrower, and must be said, in the answer or in the token.
    /// </summary>
    public string? AuthorizationDetails { get; set; }

    /// <summary>
    /// Whether a credential is taken though neither the answer nor the token says which <see cref="AuthorizationDetails"/> were granted. Default false. Databricks' own SDKs look for no
    /// such statement; set it only after the workspace has been seen to refuse what lies outside the details.
    /// </summary>
    public bool AllowUnstatedDetails { get; set; }

    /// <summary>How long before its end a credential is handed out no more. Default 40 seconds: Databricks refuses the last 30. From 0 to 10 minutes.</summary>
    public TimeSpan UsableMargin { get; set; } = TimeSpan.FromSeconds(40);
}
