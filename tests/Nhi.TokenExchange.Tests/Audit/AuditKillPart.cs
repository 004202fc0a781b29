namespace Nhi.TokenExchange.Tests;

/// <summary>What a job that is killed for its audit was doing.</summary>
internal enum AuditKillPart
{
    /// <summary>It had said so many credentials that it was handed.</summary>
    HandingOut,

    /// <summary>Its issuer had issued so many.</summary>
    Exchanging,

    /// <summary>Its audit had so many bytes.</summary>
    Writing,

    /// <summary>Its audit had so many files, those that have no name yet among them.</summary>
    Rotating,
}
