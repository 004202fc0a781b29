namespace Nhi.TokenExchange;

/// <summary>What may be said about an exchange at Databricks.</summary>
public sealed class DatabricksOptions
{
    /// <summary>The account id: the account's endpoint is asked instead of the workspace's. Letters, digits and hyphens.</summary>
    public string? AccountId { get; set; }

    /// <summary>For whom the proof has to be made. Default: the account id if there is one, else the URI of the token endpoint; what the federation policy lists wins.</summary>
    public string? SubjectAudience { get; set; }

    /// <summary>How long before its end a credential is handed out no more. Default 40 seconds: Databricks refuses the last 30. From 0 to 10 minutes.</summary>
    public TimeSpan UsableMargin { get; set; } = TimeSpan.FromSeconds(40);
}
