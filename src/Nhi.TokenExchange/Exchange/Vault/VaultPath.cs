using System.Buffers;

namespace Nhi.TokenExchange;

/// <summary>The grammar of what is put into a Vault address: segments, divided by single slashes, of characters that mean nothing in an address.</summary>
internal static class VaultPath
{
    private const int MaxLength = 512;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@:+=,/");

    /// <summary>What to write instead.</summary>
    public const string Remedy = "Write segments divided by single slashes, such as database/creds/readonly: letters, digits and - . _ ~ @ : + = ,";

    /// <summary>Says what is wrong with a path below <c>/v1/</c>, a mount or a namespace; null if nothing is. Quotes nothing.</summary>
    public static string? FaultOf(string path)
    {
        if (path.Length is 0 or > MaxLength)
            return $"has {path.Length} characters; 1 to {MaxLength} are taken";
        if (path.Contains('%', StringComparison.Ordinal))
            return "has a percent sign, which would hide what the path is";
        int odd = path.AsSpan().IndexOfAnyExcept(Allowed);
        if (odd >= 0)
            return $"has a character at position {odd} that no path may have";
        if (path[0] == '/' || path[^1] == '/')
            return "begins or ends with a slash";
        string[] segments = path.Split('/');
        if (segments.Contains(""))
            return "has two slashes together";
        if (segments.Any(segment => segment is "." or ".."))
            return "has a segment of dots, which would lead elsewhere";
        return segments[0] == "v1" ? "begins with v1, which is put before it anyway" : null;
    }

    /// <summary>As <see cref="FaultOf"/>, for what a secret is read from.</summary>
    public static string? FaultOfSecret(string path) =>
        FaultOf(path) ?? (path.Split('/')[0] is "sys" or "auth" or "cubbyhole" ? "is Vault's own and gives no secret of a secrets engine" : null);
}
