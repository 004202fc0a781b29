namespace Nhi.TokenExchange;

/// <summary>Scheme, host and port (RFC 6454 §4), compared exactly: another port or a trailing dot is another origin.</summary>
internal readonly record struct Origin
{
    private Origin(string scheme, string host, int port)
    {
        Scheme = scheme;
        Host = host;
        Port = port;
    }

    public string Scheme { get; }

    public string Host { get; }

    public int Port { get; }

    /// <summary>Whether a credential may go there at all: https, or loopback.</summary>
    public static bool IsSafe(Uri address) =>
        address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback);

    /// <summary>The origin of an absolute http or https address. <see cref="Uri"/> has made scheme and host lower case, the host ASCII.</summary>
    public static Origin Of(Uri address) => new(address.Scheme, address.IdnHost, address.Port);

    /// <summary>As written in an address; no user, no path, no query.</summary>
    public override string ToString() => $"{Scheme}://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}";
}
