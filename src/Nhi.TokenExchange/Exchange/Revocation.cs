namespace Nhi.TokenExchange;

/// <summary>What is known after an issuer was asked to end a credential.</summary>
public enum Revocation
{
    /// <summary>The issuer ended it.</summary>
    Revoked,

    /// <summary>It was dead or unknown there already.</summary>
    AlreadyGone,

    /// <summary>This issuer ends nothing before its time.</summary>
    NotSupported,
}
