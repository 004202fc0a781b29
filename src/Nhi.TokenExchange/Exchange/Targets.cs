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

    /// <summary>A session of an AWS role for the job's proof: AWS STS <c>AssumeRoleWithWebIdentity</c>.</summary>
    /// <param name="roleArn">The role, such as <c>arn:aws:iam::123456789012:role/orders-loader</c>, whose trust policy lets the proof in.</param>
    /// <param name="region">Where STS is asked, such as <c>eu-central-1</c>; the global endpoint is not used.</param>
    /// <param name="configure">Session name, session policy, audience of the proof, endpoint, margin.</param>
    /// <remarks>
    /// Scopes of the target are actions of a session policy, such as <c>s3:GetObject</c>; none leaves all that the role may do. AWS ends no session before its time: it dies by itself, after <see cref="TargetOptions.MaxLifetime"/>
    /// or 15 minutes, whichever is longer.
    /// </remarks>
    /// <exception cref="ArgumentException">The role, the region or an option is wrong.</exception>
    public static TokenExchanger<AwsSessionCredentials> AwsSts(string roleArn, string region, Action<AwsStsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(roleArn);
        ArgumentNullException.ThrowIfNull(region);
        var options = new AwsStsOptions();
        configure?.Invoke(options);
        return new AwsStsExchanger(roleArn, region, options);
    }

    /// <summary>An access token of Google Cloud for the job's proof: workload identity federation, then a service account and an access boundary if the options name them.</summary>
    /// <param name="provider">The full name of the pool's provider: <c>projects/123456789012/locations/global/workloadIdentityPools/my-pool/providers/my-provider</c>, with the project's number.</param>
    /// <param name="configure">Service account, boundary, audience of the proof, universe, margin.</param>
    /// <remarks>
    /// Scopes come from the target; one that names none gets <c>cloud-platform</c>, which leaves all to IAM. Google ends no such token before its time: it dies by itself after an hour, or, of a service account, after <see cref="TargetOptions.MaxLifetime"/>.
    /// </remarks>
    /// <exception cref="ArgumentException">The provider or an option is wrong.</exception>
    public static TokenExchanger<BearerToken> GoogleSts(string provider, Action<GoogleStsOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(provider);
        var options = new GoogleStsOptions();
        configure?.Invoke(options);
        return new GoogleStsExchanger(provider, options);
    }

    /// <summary>A login to HashiCorp Vault or OpenBao with the job's proof: a Vault token, mostly for <see cref="VaultSecret"/> to go through.</summary>
    /// <param name="server">The address, such as <c>https://vault.example:8200</c>.</param>
    /// <param name="role">The role of the auth method; null for the mount's default role.</param>
    /// <param name="configure">Auth method, mount, namespace, audience of the proof, wrapping, margin.</param>
    /// <remarks>
    /// The token is renewed while the server gives more, then got anew. At the job's end it revokes itself, and with it ends all that was issued to it. A batch token can't be revoked or renewed: it dies by itself.
    /// </remarks>
    /// <exception cref="ArgumentException">The server, the role or an option is wrong.</exception>
    public static TokenExchanger<BearerToken> VaultLogin(Uri server, string? role = null, Action<VaultLoginOptions>? configure = null)
    {
        var options = new VaultLoginOptions();
        configure?.Invoke(options);
        return new VaultLoginExchanger(server, role, options);
    }

    /// <summary>A dynamic secret of HashiCorp Vault or OpenBao. Its target goes <see cref="TargetOptions.Through"/> one of <see cref="VaultLogin"/> at the same server.</summary>
    /// <param name="server">The address, such as <c>https://vault.example:8200</c>.</param>
    /// <param name="path">Where the secrets engine makes it, below <c>/v1/</c>: <c>database/creds/readonly</c>, <c>aws/sts/deploy</c>, <c>azure/creds/loader</c>.</param>
    /// <param name="configure">Verb, namespace, wrapping, margin.</param>
    /// <remarks>The lease is renewed while the server gives more, then another is got. It is revoked at the job's end. What has no lease and says no end is a static secret, and refused (NHI5007).</remarks>
    /// <exception cref="ArgumentException">The server, the path or an option is wrong.</exception>
    public static TokenExchanger<VaultSecret> VaultSecret(Uri server, string path, Action<VaultSecretOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        var options = new VaultSecretOptions();
        configure?.Invoke(options);
        return new VaultSecretExchanger(server, path, options);
    }

    /// <summary>A static key in a key-value engine of HashiCorp Vault or OpenBao, for a service that can't do without yet. Its target goes <see cref="TargetOptions.Through"/> one of <see cref="VaultLogin"/> at the same server.</summary>
    /// <param name="server">The address, such as <c>https://vault.example:8200</c>.</param>
    /// <param name="path">Where the secret is below the engine's mount, such as <c>legacy/billing</c>.</param>
    /// <param name="owner">Who answers for the key and its replacement: 1 to 200 characters, for audit and errors.</param>
    /// <param name="until">From this instant on the key is refused (NHI3004). At most a year ahead when a job starts; log and health warn from 30 days before.</param>
    /// <param name="configure">Mount, engine, field, namespace, header.</param>
    /// <remarks>
    /// The key is read under the job's identity when it is needed, kept for 15 minutes at most, and handed to the handler of <see cref="JobSession.CreateStaticKeyHandler"/> or to an opener that
    /// <see cref="TokenExchangeBuilder.Opener"/> registered; never to the job's code. A policy has to permit it in so many words. Nothing revokes it.
    /// </remarks>
    /// <exception cref="ArgumentException">The server, the path, the owner or an option is wrong.</exception>
    public static TokenExchanger VaultStaticKey(Uri server, string path, string owner, DateTimeOffset until, Action<VaultStaticKeyOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        var options = new VaultStaticKeyOptions();
        configure?.Invoke(options);
        return new StaticKeyExchanger(new VaultKeyStore(server, path, options), owner, until, StaticKeyHeader.Of(options.Header));
    }

    /// <summary>A static key in Azure Key Vault; as <see cref="VaultStaticKey"/>. Its target goes <see cref="TargetOptions.Through"/> one whose token is for Key Vault: Entra ID with the scope <c>https://vault.azure.net/.default</c>, or a managed identity.</summary>
    /// <param name="vault">The address, such as <c>https://acme-legacy.vault.azure.net</c>.</param>
    /// <param name="name">The secret's name.</param>
    /// <param name="owner">As of <see cref="VaultStaticKey"/>.</param>
    /// <param name="until">As of <see cref="VaultStaticKey"/>.</param>
    /// <param name="configure">Version, header.</param>
    /// <exception cref="ArgumentException">The vault, the name, the owner or an option is wrong.</exception>
    public static TokenExchanger KeyVaultStaticKey(Uri vault, string name, string owner, DateTimeOffset until, Action<KeyVaultStaticKeyOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        var options = new KeyVaultStaticKeyOptions();
        configure?.Invoke(options);
        return new StaticKeyExchanger(new KeyVaultKeyStore(vault, name, options), owner, until, StaticKeyHeader.Of(options.Header));
    }
}
