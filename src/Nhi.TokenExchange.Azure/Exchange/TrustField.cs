namespace Nhi.TokenExchange;

/// <summary>What of a trust does not fit.</summary>
internal enum TrustField
{
    /// <summary>None in particular.</summary>
    None,

    /// <summary>The proof's <c>iss</c>.</summary>
    Issuer,

    /// <summary>The proof's <c>sub</c>.</summary>
    Subject,

    /// <summary>The proof's <c>aud</c>.</summary>
    Audience,

    /// <summary>Issuer, subject and audience: Entra does not say which.</summary>
    Whole,

    /// <summary>The key that signed the proof.</summary>
    Key,

    /// <summary>The proof's <c>nbf</c> and <c>exp</c>.</summary>
    Times,

    /// <summary>The marks of a token that an application got for itself.</summary>
    AppOnly,

    /// <summary>The application.</summary>
    ClientId,

    /// <summary>The tenant.</summary>
    Tenant,

    /// <summary>The resource that the scope names.</summary>
    Resource,

    /// <summary>The scope as it is written.</summary>
    Scope,

    /// <summary>The cloud.</summary>
    Cloud,
}
