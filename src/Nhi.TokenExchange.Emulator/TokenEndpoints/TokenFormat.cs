namespace Nhi.TokenExchange;

/// <summary>What the authorization server's access tokens look like.</summary>
public enum TokenFormat
{
    /// <summary>A random text that means nothing to its bearer.</summary>
    Opaque,

    /// <summary>A signed JWT (RFC 9068).</summary>
    Jwt,
}
