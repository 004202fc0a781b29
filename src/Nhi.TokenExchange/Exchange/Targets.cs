namespace Nhi.TokenExchange;

/// <summary>Makes the exchangers that this package brings.</summary>
public static class Targets
{
    /// <summary>Any server of OAuth 2.0 Token Exchange (RFC 8693).</summary>
    /// <param name="issuer">The issuer identifier, exactly as the server writes it: an https URI (http on loopback). Its endpoints are discovered unless the options name them.</param>
    /// <param name="configure">Endpoints, client, resources, audiences, types.</param>
    /// <exception cref="ArgumentException">The issuer or an option is wrong.</exception>
    public static TokenExchanger<BearerToken> Rfc8693(Uri issuer, Action<Rfc8693Options>? configure = null)
    {
        var options = new Rfc8693Options();
        configure?.Invoke(options);
        return new Rfc8693Exchanger(issuer, options);
    }

    /// <summary>Any server that takes a JWT as an authorization grant (RFC 7523 §2.1).</summary>
    /// <param name="issuer">The issuer identifier, exactly as the server writes it: an https URI (http on loopback). Its endpoints are discovered unless the options name them.</param>
    /// <param name="configure">Endpoints, client, resources.</param>
    /// <exception cref="ArgumentException">The issuer or an option is wrong.</exception>
    public static TokenExchanger<BearerToken> JwtBearer(Uri issuer, Action<JwtBearerOptions>? configure = null)
    {
        var options = new JwtBearerOptions();
        configure?.Invoke(options);
        return new JwtBearerExchanger(issuer, options);
    }

    /// <summary>Databricks token federation: a workspace, or with <see cref="DatabricksOptions.AccountId"/> an account.</summary>
    /// <param name="workspace">The host, such as <c>https://workspace.example</c>; for an account the accounts host.</param>
    /// <param name="clientId">The application id of the service principal whose federation policy trusts the proof; null for a policy of the whole account.</param>
    /// <param name="configure">Account, audience of the proof, dialect, authorization details, margin.</param>
    /// <remarks>
    /// Scopes come from the target; one that names none gets <c>all-apis</c>, which is all that the principal may do: name the narrowest, such as <c>sql</c>.
    /// A credential can't be revoked and does not die with its proof: it dies by itself after what Databricks gives, an hour.
    /// </remarks>
    /// <exception cref="ArgumentException">The host or an option is wrong.</exception>
    public static TokenExchanger<BearerToken> Databricks(Uri workspace, string? clientId = null, Action<DatabricksOptions>? configure = null)
    {
        var options = new DatabricksOptions();
        configure?.Invoke(options);
        return new DatabricksExchanger(workspace, clientId, options);
    }
}
