using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Nhi.TokenExchange;

/// <summary>Reads an address from a setting: https (http for loopback only), a name rather than a disguised number. Never quotes what it refuses.</summary>
internal static class HttpsAddress
{
    private const string Form = "Write https and a host, such as https://warehouse.example";

    /// <summary>Reads an address.</summary>
    /// <param name="text">What the setting says.</param>
    /// <param name="originOnly">Whether a path is too much.</param>
    /// <param name="what">What is wrong.</param>
    /// <param name="remedy">What to do.</param>
    /// <returns>The address; null if it can't be used.</returns>
    public static Uri? TryRead(string text, bool originOnly, out string what, out string remedy)
    {
        remedy = Form + ".";
        int odd = text.AsSpan().IndexOfAnyExceptInRange('!', '~');
        if (odd >= 0)
        {
            what = $"has a space, a control or a non-ASCII character at position {odd}";
            return null;
        }
        if (text.Contains('\\', StringComparison.Ordinal) || !Uri.TryCreate(text, UriKind.Absolute, out Uri? address) || address.Host.Length == 0)
        {
            what = HasPortOutOfRange(text) ? "has a port that is out of range" : "is not an absolute address";
            remedy = HasPortOutOfRange(text) ? "Give a port from 1 to 65535, or none." : remedy;
            return null;
        }
        what = TooMuch(address, originOnly) ?? WrongHost(address, text) ?? "";
        if (what.Length == 0 && !Origin.IsSafe(address))
        {
            what = "is not https";
            remedy = Form + "; http is for loopback only.";
        }
        else if (what.Length > 0 && address.Port == 0)
        {
            remedy = "Give a port from 1 to 65535, or none.";
        }
        else if (what.Length > 0)
        {
            remedy = originOnly ? Form + ", and nothing else." : Form + "/path.";
        }
        return what.Length == 0 ? address : null;
    }

    private static string? TooMuch(Uri address, bool originOnly)
    {
        if (address.UserInfo.Length > 0)
            return "names a user before the host";
        if (address.Fragment.Length > 0)
            return "has a fragment (from the # on)";
        if (address.Query.Length > 0)
            return "has a query (from the ? on)";
        if (originOnly && address.AbsolutePath != "/")
            return "has a path after the host";
        return address.Port == 0 ? "has port 0" : null;
    }

    private static string? WrongHost(Uri address, string text)
    {
        if (address.HostNameType == UriHostNameType.Dns)
            return address.Host.EndsWith('.') ? "has a dot at the end of the host" : null;
        if (!IPAddress.TryParse(address.DnsSafeHost, out IPAddress? ip))
            return "has a host that is no name";
        // 2130706433, 0x7f.1 and 0177.0.0.1 all mean 127.0.0.1: what is written in a disguise is not meant for readers.
        if (!text.Contains(ip.AddressFamily == AddressFamily.InterNetwork ? $"//{ip}" : "//[", StringComparison.Ordinal))
            return "has a host that is a number in disguise";
        bool isNoIssuer = ip.IsIPv4MappedToIPv6 || ip.IsIPv6LinkLocal || ip.IsIPv6Multicast || ip.Equals(IPAddress.IPv6Any)
            || (ip.AddressFamily == AddressFamily.InterNetwork && IsReserved(ip));
        return isNoIssuer ? "has a host that is no issuer's: link-local, multicast, unspecified or mapped" : null;
    }

    private static bool IsReserved(IPAddress ip)
    {
        Span<byte> bytes = stackalloc byte[4];
        ip.TryWriteBytes(bytes, out _);
        return bytes[0] is 0 or >= 224 || (bytes[0] == 169 && bytes[1] == 254);
    }

    private static bool HasPortOutOfRange(string text)
    {
        int colon = text.LastIndexOf(':');
        return colon > "https".Length && long.TryParse(text.AsSpan(colon + 1).TrimEnd('/'), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long port) && port is < 1 or > 65535;
    }
}
