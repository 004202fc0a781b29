namespace Nhi.TokenExchange;

/// <summary>The verb by which a secrets engine makes a secret.</summary>
public enum VaultSecretMethod
{
    /// <summary>As database, azure and most others have it.</summary>
    Get,

    /// <summary>As some paths of aws, pki and kubernetes have it. The body is an empty object.</summary>
    Post,
}
