using System.Net.Http.Headers;

namespace Nhi.TokenExchange;

/// <summary>Azure Key Vault's secrets, read with a token of another target: "Get Secret", REST API 7.4.</summary>
internal sealed class KeyVaultKeyStore : IKeyStore
{
    private const string ApiVersion = "7.4";

    private readonly Uri _address;
    private readonly string _id;
    private readonly string? _version;

    /// <exception cref="ArgumentException">The vault, the name or an option is wrong.</exception>
    public KeyVaultKeyStore(Uri vault, string name, KeyVaultStaticKeyOptions options)
    {
        OptionChecks.Issuer(vault, nameof(vault));
        if (KeyVaultNames.FaultOfVault(vault) is { } elsewhere)
            throw new ArgumentException($"The vault {elsewhere}. {KeyVaultNames.VaultRemedy}", nameof(vault));
        if (KeyVaultNames.FaultOfName(name) is { } unnamed)
            throw new ArgumentException($"The name {unnamed}. {KeyVaultNames.NameRemedy}", nameof(name));
        if (options.Version is { } version && KeyVaultNames.FaultOfVersion(version) is { } unversioned)
            throw new ArgumentException($"Version {unversioned}. {KeyVaultNames.VersionRemedy}", nameof(options));
        Issuer = vault;
        Secret = $"{vault.GetLeftPart(UriPartial.Authority)}/secrets/{name}";
        _id = $"/secrets/{name}/";
        _version = options.Version;
        _address = new Uri(vault, $"/secrets/{name}{(options.Version is null ? "" : $"/{options.Version}")}?api-version={ApiVersion}");
    }

    public Uri Issuer { get; }

    public string Secret { get; }

    public string HopRemedy => "Name a target whose token is for Key Vault: with the exchange Entra and the scope https://vault.azure.net/.default, or ManagedIdentity and that Resource";

    // A token for somebody else would be seen by who must not see it.
    public string? FlawOfHop(TokenExchanger? hop, ScopeSet scopes) =>
        hop is null ? "is missing: a secret is read with a token for Key Vault"
        : hop is VaultLoginExchanger ? "names a login to HashiCorp Vault, whose token must not be seen by Azure"
        : hop is DatabricksExchanger ? "names a target at Databricks, whose token must not be seen by Key Vault"
        : KeyVaultNames.IsForVault(Issuer, scopes.Values, [.. hop.Resources, .. hop.IsPlatformIssued ? [hop.SubjectAudience.ToString()] : Array.Empty<string>()]) ? null
        : "names a target that says nowhere that its token is for Key Vault alone, which must not see any other";

    public async Task<StoredKey> ReadAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        var sent = new SentSecrets();
        sent.Add(request.Subject.Reveal());
        using var asked = new IssuerRequest(HttpMethod.Get, _address, sent);
        asked.Headers.Authorization = new AuthenticationHeaderValue("Bearer", request.Subject.Reveal());
        RefusalIsWanted.Set(asked);
        using HttpResponseMessage response = await request.Backchannel.SendAsync(asked, cancellationToken).ConfigureAwait(false);
        using BoundedContent content = await BoundedContent.ReadAsync(response.Content, cancellationToken).ConfigureAwait(false);
        string? correlation = CorrelationIds.Of(response, sent);
        if (!response.IsSuccessStatusCode)
            throw KeyVaultRefusal.Of(response, content.Bytes, this, request.Time, sent);
        if (!OAuthIssuer.IsJson(response.Content))
            throw Malformed("is not JSON", correlation);
        KeyVaultSecret secret = KeyVaultSecret.Read(content.Bytes);
        if (secret.Fault is { } fault)
            throw Malformed(fault, correlation);
        // What was asked for, and not another one that a gateway answers with.
        if (!Uri.TryCreate(secret.Id, UriKind.Absolute, out Uri? id) || !id.AbsolutePath.StartsWith(_id, StringComparison.OrdinalIgnoreCase))
            throw Malformed("is of another secret than the one that was asked for (id)", correlation);
        string version = id.AbsolutePath[_id.Length..];
        if (KeyVaultNames.FaultOfVersion(version) is not null)
            throw Malformed("names no version of the secret (id)", correlation);
        if (_version is not null && !version.Equals(_version, StringComparison.OrdinalIgnoreCase))
            throw Malformed("is of another version than the one that was asked for (id)", correlation);
        if (secret.IsDisabled)
        {
            throw new TokenExchangeException(ErrorCodes.StaticKeyUnfit, ExchangeStage.Verify, $"The secret {Secret} is disabled. It is not handed out.") { CorrelationId = correlation, Hint = "Let its owner enable it, or store the next version." };
        }
        return new StoredKey(secret.Value!) { Version = version, NotBefore = secret.NotBefore, EndsAt = secret.ExpiresAt, CorrelationId = correlation };
    }

    private TokenExchangeException Malformed(string what, string? correlation) =>
        new(ErrorCodes.IssuerAnswerMalformed, ExchangeStage.Exchange, $"The answer of host {Issuer.IdnHost} {what}.") { CorrelationId = correlation, Hint = "Check the address of the vault; a proxy may have answered." };
}
