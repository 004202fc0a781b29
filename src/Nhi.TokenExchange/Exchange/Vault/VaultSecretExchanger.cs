using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>A dynamic secret of Vault or OpenBao, read with the token of a login: "Lease, Renew, and Revoke", "/sys/leases".</summary>
internal sealed class VaultSecretExchanger : TokenExchanger<VaultSecret>
{
    private readonly VaultServer _server;
    private readonly string _path;
    private readonly bool _isPost;
    private readonly TimeSpan? _wrapFor;
    private readonly ExposureAnswer _reusable;
    private readonly bool _outlivesLease;
    private readonly LearntFact _hasNoLease = new();

    /// <exception cref="ArgumentException">The server, the path or an option is wrong.</exception>
    public VaultSecretExchanger(Uri server, string path, VaultSecretOptions options)
    {
        VaultOptionChecks.Check(server, options.Namespace, options.WrapLifetime, options.UsableMargin);
        if (VaultPath.FaultOfSecret(path) is { } fault)
            throw new ArgumentException($"The path {fault}. {VaultPath.Remedy}.", nameof(path));
        if (!Enum.IsDefined(options.Method))
            throw new ArgumentException("Method is none of its values.", nameof(options));
        _server = new VaultServer(server, options.Namespace);
        _path = path;
        _isPost = options.Method == VaultSecretMethod.Post;
        _wrapFor = options.WrapLifetime;
        _reusable = VaultEngine.ReusableAfterJob(path, options.EndsWithLease);
        _outlivesLease = VaultEngine.OutlivesLease(path, options.EndsWithLease);
        SubjectAudience = new Audience(server.GetLeftPart(UriPartial.Authority));
        UsableMargin = options.UsableMargin;
    }

    public override Uri Issuer => _server.Address;

    public override Audience SubjectAudience { get; }

    public override TimeSpan UsableMargin { get; }

    // Known when the first one comes: not every engine has leases.
    public override ExposureAnswer ReusableAfterJob => _hasNoLease.IsSo
        ? ExposureAnswer.Yes("what Vault gives at this path has no lease that could be revoked: a copy works until it dies by itself")
        : _reusable;

    public override ExposureAnswer VisibleToOperators => VaultEngine.IsStaticRole(_path)
        ? ExposureAnswer.Yes("Vault keeps the password of a static role, and shows it to whoever may read the path")
        : ExposureAnswer.No("Vault makes it for this lease, and shows it once");

    internal override bool RenewsHeld => true;

    internal override LearntFact Learnt => _hasNoLease;

    internal override bool MayEndWithHop => !_outlivesLease;

    // "Token Hierarchies": the leases of a token end with it.
    internal override string? EndsWith(Credential credential) => credential.Lease.Handle is null || _outlivesLease ? null : ((VaultSecret)credential).IssuedTo?.Fingerprint;

    public override string? FlawOf(ScopeSet scopes) => VaultOptionChecks.FlawOf(scopes);

    internal override string? FlawOfHop(TokenExchanger? hop, ScopeSet scopes) => _server.FlawOfLogin(hop);

    public override async ValueTask<Issued<VaultSecret>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        VaultOptionChecks.NoActor(request);
        if (request is { Held: VaultSecret held, HeldHandle: { } lease } && await RenewAsync(held, lease, request, cancellationToken).ConfigureAwait(false) is { } renewed)
            return renewed;
        if (request.RenewsOnly)
            throw Renewals.NoMore(request.Target);
        var call = new VaultCall(_path) { Token = request.Subject, Body = _isPost ? VaultCall.Object() : null, WrapFor = _wrapFor, IsOnce = true };
        VaultReply reply = await _server.SendAsync(call, request.Backchannel, request.Time, cancellationToken).ConfigureAwait(false);
        if (reply.Status == 403)
            throw await _server.RefusalAsync(reply, request, cancellationToken).ConfigureAwait(false);
        return Issue(await _server.ReadAsync(reply, request.Backchannel, request.Time, cancellationToken).ConfigureAwait(false), request);
    }

    public override async ValueTask<Revocation> RevokeAsync(RevocationRequest<VaultSecret> request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Handle is not { } lease)
            return Revocation.NotSupported;
        // At the job's end nobody gives tokens any more: the one that it was issued to is as good as any.
        if ((request.Credential?.IssuedTo ?? (request.Subject is { } subject ? await subject(cancellationToken).ConfigureAwait(false) : null)) is not { } token)
            return Revocation.NotSupported;
        VaultReply reply = await AskToRevokeAsync(lease, token, request, cancellationToken).ConfigureAwait(false);
        bool mayHaveFailed = reply.MayRepeatALostOne;
        // A lease is ended by its id, whoever asks. Older servers say "permission denied" of a dead token, too.
        if (reply.Status == 403 && request.Credential is not null && request.OtherSubject?.Invoke(token.Fingerprint) is { } other)
        {
            VaultReply second = await AskToRevokeAsync(lease, other, request, cancellationToken).ConfigureAwait(false);
            mayHaveFailed |= second.MayRepeatALostOne;
            if (!second.SaysTokenIsDead)   // that the other login has died says nothing of the lease, nor of its own login
                reply = second;
        }
        if (reply.SaysItIsDone)
            return _outlivesLease ? Revocation.NotSupported : Revocation.Revoked;   // the lease is gone, and what it was of works on
        if (reply.SaysItIsGone)
            return _outlivesLease ? Revocation.NotSupported : Revocation.AlreadyGone;
        if (reply.Status != 403)
            throw VaultRefusal.OfRevocation(reply, _server, request.Time);
        if (mayHaveFailed)   // a try of this call failed at Vault: what is said of the login says nothing of the lease
            throw VaultRefusal.OfRevocation(reply, _server, request.Time);
        if (request.Credential is not null && reply.SaysTokenIsDead)
            return _outlivesLease ? Revocation.NotSupported : throw LeftToLogin(reply, request.Time);
        throw VaultRefusal.OfRevocation(reply, _server, request.Time, "Let a policy of the login's role permit update of sys/leases/revoke. Else Vault queues the lease's end behind its login's, and does not say how that came out.");
    }

    // "sync": else the answer says that it is queued, and not that it is done.
    private Task<VaultReply> AskToRevokeAsync(string lease, SubjectToken token, RevocationRequest<VaultSecret> request, CancellationToken cancellationToken) =>
        _server.SendAsync(new VaultCall("sys/leases/revoke") { Token = token, Body = VaultCall.Object(("lease_id", lease), ("sync", true)) }, request.Backchannel, request.Time, cancellationToken);

    // "Token Hierarchies": the leases of a token end with it. But they are only queued for it: their engine may fail, and after some tries nobody ends them any more.
    private TokenExchangeException LeftToLogin(VaultReply reply, TimeProvider time)
    {
        TokenExchangeException dead = VaultRefusal.OfRevocation(reply, _server, time);
        return new TokenExchangeException(dead.Code, dead.Stage, dead.Detail, dead) { IsLeftToHop = true, CorrelationId = dead.CorrelationId, Hint = dead.Hint };
    }

    // A lease of another login ends with that, however often it is renewed: then a new one is wanted. What failed in passing leaves the held secret.
    private async Task<Issued<VaultSecret>?> RenewAsync(VaultSecret held, string lease, ExchangeRequest request, CancellationToken cancellationToken)
    {
        if (!held.IsRenewable || held.IssuedTo?.Fingerprint != request.Subject.Fingerprint)
            return null;
        if (await VaultRenewal.AskAsync(_server, "sys/leases/renew", request.Subject, lease, held, request, cancellationToken).ConfigureAwait(false) is not { } answer)
            return null;
        if (!VaultRenewal.TakesThePlace(answer, held, request, UsableMargin))
            return null;
        return new Issued<VaultSecret>(new VaultSecret(held, VaultLife.EndOf(answer))) { IsRenewal = true, RevocationHandle = lease, CorrelationId = answer.RequestId };
    }

    private Issued<VaultSecret> Issue(VaultAnswer answer, ExchangeRequest request)
    {
        string? data = answer.Secret;
        if (data is null && answer.LeaseId is null)
            throw VaultRefusal.Malformed(_server, answer, answer.Fault ?? $"at {_path} has no data");
        _hasNoLease.Note(answer.LeaseId is null, request.Time);
        DateTimeOffset? end = answer.LeaseId is null ? EndOfUnleased(data!) : VaultLife.IsSaid(answer) ? VaultLife.EndOf(answer) : null;
        string? handle = VaultAnswer.HandleOf(answer.LeaseId, request.Subject.Reveal());
        // Vault's own default for what has no lease is 32 days of nothing: a key-value store answers so.
        TokenExchangeException? flaw = handle is null && answer.LeaseId is not null ? VaultRefusal.Malformed(_server, answer, "has a lease_id that repeats a secret")
            : answer.Fault is { } fault ? VaultRefusal.Malformed(_server, answer, fault)
            : data is null ? VaultRefusal.Malformed(_server, answer, $"at {_path} has a lease and no data")
            : answer.LeaseId is null && end is null ? NeverEnds(answer)
            : null;
        return new Issued<VaultSecret>(new VaultSecret(data ?? "{}", end ?? VaultLife.EndOf(answer)) { IssuedTo = request.Subject, IsRenewable = answer.IsRenewable && answer.LeaseId is not null })
        {
            EndIsAssumed = end is null && answer.LeaseId is not null, RevocationHandle = handle, CorrelationId = answer.RequestId, Flaw = flaw,
        };
    }

    private TokenExchangeException NeverEnds(VaultAnswer answer) =>
        new(ErrorCodes.NeverEnds, ExchangeStage.Verify, $"What Vault gives at {_path} has no lease and says no end: it is a static secret.")
        {
            CorrelationId = answer.RequestId, Hint = "Name a path of a secrets engine that makes secrets with a lease, such as database/creds/… or azure/creds/….",
        };

    // Google's access tokens have no lease; they say themselves when they end.
    private static DateTimeOffset? EndOfUnleased(string data) =>
        VaultFields.Read(data).TryGetValue("expires_at_seconds", out string? text) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) && seconds < DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
}
