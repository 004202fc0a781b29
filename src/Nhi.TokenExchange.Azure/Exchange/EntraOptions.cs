namespace Nhi.TokenExchange;

/// <summary>What may be said about an exchange at Entra ID.</summary>
public sealed class EntraOptions
{
    /// <summary>The cloud: scheme and host, https. Default: the public one; see <see cref="EntraAuthorityHosts"/>.</summary>
    public Uri AuthorityHost { get; set; } = EntraAuthorityHosts.PublicCloud;

    /// <summary>For whom the proof has to be made. Default: the cloud's recommended value, <c>api://AzureADTokenExchange</c> in the public one. What the federated identity credential lists wins.</summary>
    public string? SubjectAudience { get; set; }

    /// <summary>Tenants that a caller may name (<see cref="CredentialRequest.Tenant"/>) beside the target's own; GUIDs or domains. Default: none. The application must be consented to in each.</summary>
    public IList<string> AllowedTenants { get; } = [];

    /// <summary>
    /// Whether a caller may answer a claims challenge of a resource (<see cref="CredentialRequest.Claims"/>). Default false. The capability <c>cp1</c> is never
    /// declared: it makes Entra ID issue tokens for up to a day, and only Microsoft Graph ends such a token sooner.
    /// </summary>
    public bool AcceptClaimsChallenges { get; set; }

    /// <summary>The issuer that the federated identity credential is registered with, character by character. A proof of another is refused before anything is sent. Default: not compared.</summary>
    public string? ExpectedIssuer { get; set; }

    /// <summary>The subject that the federated identity credential is registered with, character by character. A proof of another is refused before anything is sent. Default: not compared.</summary>
    public string? ExpectedSubject { get; set; }

    /// <summary>
    /// How long after this exchanger's first exchange a trust that Entra ID does not know may be one that it does not know yet: such refusals are then transient
    /// (NHI4015). Default zero: they are final. At most 5 minutes. For jobs that run right after the trust was made.
    /// </summary>
    public TimeSpan PropagationBudget { get; set; }

    /// <summary>How long before its end a credential is handed out no more. Default 10 seconds. From 0 to 10 minutes.</summary>
    public TimeSpan UsableMargin { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Changes MSAL's builder, for tests that listen to its log. Nothing else attaches a logger: MSAL's may show what ours must not.</summary>
    internal Action<Microsoft.Identity.Client.ConfidentialClientApplicationBuilder>? ConfigureMsal { get; set; }
}
