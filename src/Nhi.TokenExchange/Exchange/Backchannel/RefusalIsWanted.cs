namespace Nhi.TokenExchange;

/// <summary>Set on a request whose caller reads refusals himself: after the last try the answer comes back whatever its status, instead of an exception that has not read its body.</summary>
internal static class RefusalIsWanted
{
    private static readonly HttpRequestOptionsKey<bool> Key = new("Nhi.TokenExchange.RefusalIsWanted");

    public static void Set(HttpRequestMessage request) => request.Options.Set(Key, true);

    public static bool IsSet(HttpRequestMessage request) => request.Options.TryGetValue(Key, out bool wanted) && wanted;
}
