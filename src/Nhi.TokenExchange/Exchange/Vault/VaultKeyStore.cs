namespace Nhi.TokenExchange;

/// <summary>A key-value engine of Vault or OpenBao, read with the token of a login: "KV Secrets Engine - Version 2 (API)", "KV Secrets Engine - Version 1 (API)".</summary>
internal sealed class VaultKeyStore : IKeyStore
{
    private const int LongestField = 256;

    private readonly VaultServer _server;
    private readonly string _path;
    private readonly string _field;
    private readonly bool _hasVersions;

    /// <exception cref="ArgumentException">The server, the path or an option is wrong.</exception>
    public VaultKeyStore(Uri server, string path, VaultStaticKeyOptions options)
    {
        VaultOptionChecks.Check(server, options.Namespace, wrapLifetime: null, TimeSpan.Zero);
        VaultOptionChecks.Path(path, nameof(path));
        if (VaultPath.FaultOfSecret(options.Mount) is { } fault)
            throw new ArgumentException($"Mount {fault}. {VaultPath.Remedy}.", nameof(options));
        if (FaultOfField(options.Field) is { } wrong)
            throw new ArgumentException($"Field {wrong}.", nameof(options));
        if (!Enum.IsDefined(options.Engine))
            throw new ArgumentException("Engine is none of its values.", nameof(options));
        _server = new VaultServer(server, options.Namespace);
        _hasVersions = options.Engine == VaultKvEngine.Version2;
        _path = _hasVersions ? $"{options.Mount}/data/{path}" : $"{options.Mount}/{path}";
        _field = options.Field;
        Secret = $"{(options.Namespace is { } ns ? $"{ns}/" : "")}{_path}#{_field}";
    }

    public Uri Issuer => _server.Address;

    public string Secret { get; }

    public string HopRemedy => "Name a target with the exchange VaultLogin at the same server";

    public static string? FaultOfField(string field) =>
        field.Length is 0 or > LongestField || field.AsSpan().ContainsAnyExceptInRange('!', '~') ? FormattableString.Invariant($"is no field of a secret: 1 to {LongestField} characters of visible ASCII") : null;

    // A proof that was sent as a token, or a token that was sent to another server, would be seen by who must not see it.
    public string? FlawOfHop(TokenExchanger? hop, ScopeSet scopes) => _server.FlawOfLogin(hop);

    public async Task<StoredKey> ReadAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        var call = new VaultCall(_path) { Token = request.Subject };
        VaultReply reply = await _server.SendAsync(call, request.Backchannel, request.Time, cancellationToken).ConfigureAwait(false);
        if (reply.Status == 404)
            throw NotThere(reply, request);
        if (!reply.IsSuccess)
            throw await _server.RefusalAsync(reply, request, cancellationToken).ConfigureAwait(false);
        VaultAnswer answer = reply.ReadAnswer();
        VaultKvSecret found = VaultKvSecret.Read(answer.Secret, _field, _hasVersions);
        if ((answer.Fault ?? found.Fault) is { } fault)
            throw VaultRefusal.Malformed(_server, answer, fault);
        return new StoredKey(found.Value ?? throw NoField(answer, found))
        {
            Version = found.Version, EndsAt = found.DeletedAt, CorrelationId = answer.RequestId,
        };
    }

    // A version that was deleted or destroyed is a 404 that says so in its data; one that never was, or must not be seen, a bare one.
    private TokenExchangeException NotThere(VaultReply reply, ExchangeRequest request)
    {
        TokenExchangeException refused = VaultRefusal.Of(reply, _server, request.Time);
        VaultKvSecret gone = reply.IsJson && _hasVersions ? VaultKvSecret.Read(reply.ReadAnswer().Secret, _field, hasVersions: true) : VaultKvSecret.Nothing;
        string? said = gone.IsDestroyed ? $"Version {gone.Version} of the secret was destroyed"
            : gone.DeletedAt is { } at ? FormattableString.Invariant($"Version {gone.Version} of the secret was deleted at {at:O}")
            : null;
        return said is null
            ? new TokenExchangeException(refused.Code, refused.Stage, refused.Detail) { CorrelationId = refused.CorrelationId, Hint = $"{refused.Hint} Look whether the engine is the one that Engine says (version 1 or 2), too." }
            : new TokenExchangeException(refused.Code, refused.Stage, $"{said} ({refused.Detail.TrimEnd('.')}).") { CorrelationId = refused.CorrelationId, Hint = "Let the owner of the key undelete it, or store the next version." };
    }

    // The names of the others may be secret enough not to be listed.
    private TokenExchangeException NoField(VaultAnswer answer, VaultKvSecret found) =>
        new(ErrorCodes.StaticKeyUnfit, ExchangeStage.Verify, $"The secret at {_path} has no field '{_field}' that is a text; it has {found.Fields} field(s).")
        {
            CorrelationId = answer.RequestId, Hint = "Name the field that is the key by Field.",
        };
}
