namespace Nhi.TokenExchange;

/// <summary>What the protected API decided about a presented token.</summary>
public enum UseVerdict
{
    /// <summary>Served.</summary>
    Accepted,

    /// <summary>No token came.</summary>
    Missing,

    /// <summary>No server that the API trusts ever issued it; a changed token is unknown too.</summary>
    Unknown,

    /// <summary>It was for another audience.</summary>
    OtherAudience,

    /// <summary>It was past its end.</summary>
    Expired,

    /// <summary>It was in the last 30 seconds of its life, in which a Databricks workspace refuses it.</summary>
    LastSeconds,

    /// <summary>It had been revoked.</summary>
    Revoked,

    /// <summary>It was alive, but its scope does not cover the data set.</summary>
    InsufficientScope,

    /// <summary>It was alive, but the API demands claims that it was not asked for with (a claims challenge).</summary>
    InsufficientClaims,
}
