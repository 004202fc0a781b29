namespace Nhi.TokenExchange;

/// <summary>Where a handler puts a static key on a request.</summary>
public sealed class StaticKeyHeaderOptions
{
    /// <summary>The header, such as <c>X-Api-Key</c> or <c>Authorization</c>. Null, the default: no handler uses the key, a connection opener does.</summary>
    public string? Name { get; set; }

    /// <summary>What stands before the key, with a space between: <c>Bearer</c>, <c>Basic</c>, <c>ApiKey</c>. Null, the default: nothing.</summary>
    public string? Scheme { get; set; }

    /// <summary>The user of the scheme <c>Basic</c> (RFC 7617), with the key as his password. Null, the default: the key stands as it is.</summary>
    public string? User { get; set; }
}
