namespace Nhi.TokenExchange;

/// <summary>Checks what the options of Vault's exchangers have in common.</summary>
internal static class VaultOptionChecks
{
    public static readonly TimeSpan ShortestWrap = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan LongestWrap = TimeSpan.FromMinutes(10);

    /// <exception cref="ArgumentException">One is wrong.</exception>
    public static void Check(Uri server, string? @namespace, TimeSpan? wrapLifetime, TimeSpan margin)
    {
        OptionChecks.Issuer(server, nameof(server));
        if (server.AbsolutePath != "/")
            throw new ArgumentException("The server has a path. Give the address alone, such as https://vault.example:8200.", nameof(server));
        Path(@namespace, nameof(VaultLoginOptions.Namespace));
        if (wrapLifetime is { } wrap && (wrap < ShortestWrap || wrap > LongestWrap))
            throw new ArgumentException($"WrapLifetime is {wrap}; give {ShortestWrap} to {LongestWrap}, or null.", nameof(wrapLifetime));
        OptionChecks.Times(margin, TimeSpan.FromMinutes(1));
    }

    /// <exception cref="ArgumentException">It is no path.</exception>
    public static void Path(string? path, string name)
    {
        if (path is not null && VaultPath.FaultOf(path) is { } fault)
            throw new ArgumentException($"{name} {fault}. {VaultPath.Remedy}.", name);
    }

    /// <summary>What is wrong with scopes at a server that has none.</summary>
    public static string? FlawOf(ScopeSet scopes) =>
        scopes.IsEmpty ? null : "are set; Vault knows none. What a login may do, the policies of its role decide: leave them out";

    /// <exception cref="TokenExchangeException">The caller wants what Vault has no word for.</exception>
    public static void NoActor(ExchangeRequest request)
    {
        OptionChecks.NoTenantOrClaims(request);
        if (request.Actor is not null)
            throw new TokenExchangeException(ErrorCodes.ExchangerFailed, ExchangeStage.Exchange, "The target names an actor; Vault takes none.") { Hint = "Leave the actor out." };
    }
}
