namespace Nhi.TokenExchange;

/// <summary>How a job logs in to Vault.</summary>
public enum VaultAuthMethod
{
    /// <summary>"JWT/OIDC Auth Method": Vault verifies the proof by the keys of its issuer.</summary>
    Jwt,

    /// <summary>"Kubernetes Auth Method": Vault asks the cluster whether the proof, a service account's token, is good.</summary>
    Kubernetes,
}
