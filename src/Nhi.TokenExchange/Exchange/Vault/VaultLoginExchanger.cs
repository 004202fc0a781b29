namespace Nhi.TokenExchange;

/// <summary>A login to Vault or OpenBao: the proof becomes a Vault token. "JWT/OIDC Auth Method (API)", "Kubernetes Auth Method (API)", "/auth/token".</summary>
internal sealed class VaultLoginExchanger : TokenExchanger<BearerToken>
{
    private readonly VaultServer _server;
    private readonly string _path;
    private readonly string? _role;
    private readonly TimeSpan? _wrapFor;
    private readonly LearntFact _givesBatchTokens = new();

    // A token of the role was seen to renew or revoke itself: the policy that permits it is there, and a token that may do nothing of it any more is none.
    private bool _mayLookAfterItself;

    /// <exception cref="ArgumentException">The server, the role or an option is wrong.</exception>
    public VaultLoginExchanger(Uri server, string? role, VaultLoginOptions options)
    {
        VaultOptionChecks.Check(server, options.Namespace, options.WrapLifetime, options.UsableMargin);
        VaultOptionChecks.Path(options.Mount, nameof(options.Mount));
        if (role is "")
            throw new ArgumentException("The role is empty. Name one, or null for the mount's default role.", nameof(role));
        if (!Enum.IsDefined(options.Method))
            throw new ArgumentException("Method is none of its values.", nameof(options));
        if (options.Method == VaultAuthMethod.Kubernetes && role is null)
            throw new ArgumentException("The Kubernetes auth method has no default role. Name one.", nameof(role));
        _server = new VaultServer(server, options.Namespace);
        _path = $"auth/{options.Mount ?? (options.Method == VaultAuthMethod.Jwt ? "jwt" : "kubernetes")}/login";
        _role = role;
        _wrapFor = options.WrapLifetime;
        SubjectAudience = new Audience(options.SubjectAudience ?? server.GetLeftPart(UriPartial.Authority));
        UsableMargin = options.UsableMargin;
    }

    public VaultServer Server => _server;

    public override Uri Issuer => _server.Address;

    public override Audience SubjectAudience { get; }

    public override TimeSpan UsableMargin { get; }

    // Known when the first one comes: the role's token_type decides.
    public override ExposureAnswer ReusableAfterJob => _givesBatchTokens.IsSo
        ? ExposureAnswer.Yes("the role gives batch tokens, which nothing can revoke: a copy works until it dies by itself")
        : ExposureAnswer.No("the token revokes itself when the job ends");

    public override ExposureAnswer VisibleToOperators { get; } = ExposureAnswer.No("Vault shows a token once, to who logs in");

    internal override bool RenewsHeld => true;

    internal override bool EndsByOwn => true;

    internal override LearntFact Learnt => _givesBatchTokens;

    public override string? FlawOf(ScopeSet scopes) => VaultOptionChecks.FlawOf(scopes);

    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        VaultOptionChecks.NoActor(request);
        // A token without an accessor is a batch token, which can't be renewed.
        if (request is { Held: BearerToken held, HeldHandle: not null } && await RenewAsync(held, request, cancellationToken).ConfigureAwait(false) is { } renewed)
            return renewed;
        if (request.RenewsOnly)
            throw Renewals.NoMore(request.Target);
        VaultAnswer answer = await LoginAsync(request, cancellationToken).ConfigureAwait(false);
        _givesBatchTokens.Note(answer.Accessor is null, request.Time);
        return Issue(answer, answer.ClientToken!, request);
    }

    public override async ValueTask<Revocation> RevokeAsync(RevocationRequest<BearerToken> request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.Credential is { } token
            ? await RevokeSelfAsync(TokenOf(token), request, cancellationToken).ConfigureAwait(false)
            : await RevokeByAccessorAsync(request, cancellationToken).ConfigureAwait(false);
    }

    private static SubjectToken TokenOf(BearerToken token) => new(token.Reveal(), SubjectTokenType.AccessToken);

    private async Task<VaultAnswer> LoginAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        string proof = request.Subject.Reveal();
        var call = new VaultCall(_path) { Body = VaultCall.Object(("role", _role), ("jwt", proof)), BodySecret = proof, WrapFor = _wrapFor };
        VaultAnswer answer = await _server.AskAsync(call, request.Backchannel, request.Time, cancellationToken).ConfigureAwait(false);
        return string.IsNullOrEmpty(answer.ClientToken) ? throw VaultRefusal.Malformed(_server, answer, answer.Fault ?? "has no client_token") : answer;
    }

    // What can't be renewed is got anew; what failed in passing leaves the held token, and is tried again while that is good.
    private async Task<Issued<BearerToken>?> RenewAsync(BearerToken held, ExchangeRequest request, CancellationToken cancellationToken)
    {
        if (await VaultRenewal.AskAsync(_server, "auth/token/renew-self", TokenOf(held), null, held, request, cancellationToken).ConfigureAwait(false) is not { } answer)
            return null;
        _mayLookAfterItself = true;
        if (!VaultRenewal.TakesThePlace(answer, held, request, UsableMargin))
            return null;
        return new Issued<BearerToken>(new BearerToken(held.Reveal(), VaultLife.EndOf(answer))) { IsRenewal = true, RevocationHandle = request.HeldHandle, CorrelationId = answer.RequestId };
    }

    private Issued<BearerToken> Issue(VaultAnswer answer, string token, ExchangeRequest request)
    {
        string? handle = VaultAnswer.HandleOf(answer.Accessor, token, request.Subject.Reveal());
        TokenExchangeException? flaw = handle is null && answer.Accessor is not null ? VaultRefusal.Malformed(_server, answer, "has an accessor that repeats a secret") : FlawOf(answer);
        try
        {
            return new Issued<BearerToken>(new BearerToken(token, VaultLife.EndOf(answer)))
            {
                EndIsAssumed = !VaultLife.IsSaid(answer), RevocationHandle = handle, CorrelationId = answer.RequestId, Flaw = flaw,
            };
        }
        catch (ArgumentException exception)   // names the position, never the token
        {
            throw VaultRefusal.Malformed(_server, answer, $"has a client_token that can't be sent: {ExceptionText.SaidBy(exception)}");
        }
    }

    private TokenExchangeException? FlawOf(VaultAnswer answer)
    {
        if (answer.Fault is { } fault)
            return VaultRefusal.Malformed(_server, answer, fault);
        if (!VaultLife.IsSaid(answer))
        {
            return new TokenExchangeException(ErrorCodes.NeverEnds, ExchangeStage.Verify, "The token of the login has no end.")
            {
                CorrelationId = answer.RequestId, Hint = "Set token_ttl (and no token_period of 0) at the role.",
            };
        }
        return answer.Uses == 0 ? null : new TokenExchangeException(ErrorCodes.WrongTokenType, ExchangeStage.Verify, FormattableString.Invariant($"The token of the login may be used {answer.Uses} times; a job uses it any number of times."))
        {
            CorrelationId = answer.RequestId, Hint = "Set token_num_uses to 0 at the role.",
        };
    }

    // "Revoke a token (self)": its leases and its child tokens go with it.
    private async Task<Revocation> RevokeSelfAsync(SubjectToken token, RevocationRequest<BearerToken> request, CancellationToken cancellationToken)
    {
        var call = new VaultCall("auth/token/revoke-self") { Token = token, Body = VaultCall.Object() };
        VaultReply reply = await _server.SendAsync(call, request.Backchannel, request.Time, cancellationToken).ConfigureAwait(false);
        if (reply.SaysItIsDone)
        {
            _mayLookAfterItself = true;
            return Revocation.Revoked;
        }
        if (reply.SaysTokenIsDead || (_mayLookAfterItself && await _server.IsRefusedAsDeadAsync(reply, token, request.Backchannel, request.Time, cancellationToken).ConfigureAwait(false)))
            return Revocation.AlreadyGone;
        if (reply.Status == 400 && reply.Says("batch token"))
            return Revocation.NotSupported;
        throw VaultRefusal.OfRevocation(reply, _server, request.Time, reply.Status == 403 ? "Let the role give the policy 'default', by which a token may revoke itself." : null);
    }

    // After a crash nobody has the token. Another one of its kind may end it by its accessor, if the role's policies permit that: the job's own, which policy, audit and journal know, and which ends with the job.
    private async Task<Revocation> RevokeByAccessorAsync(RevocationRequest<BearerToken> request, CancellationToken cancellationToken)
    {
        if (request.Handle is not { } accessor || request.Own is not { } own)
            return Revocation.NotSupported;
        BearerToken asker = await own(cancellationToken).ConfigureAwait(false);
        var call = new VaultCall("auth/token/revoke-accessor") { Token = TokenOf(asker), Body = VaultCall.Object(("accessor", accessor)) };
        VaultReply reply = await _server.SendAsync(call, request.Backchannel, request.Time, cancellationToken).ConfigureAwait(false);
        return reply.SaysItIsDone && !reply.WarnsItIsGone ? Revocation.Revoked
            : reply.SaysItIsDone || reply.SaysItIsGone ? Revocation.AlreadyGone
            : throw VaultRefusal.OfRevocation(reply, _server, request.Time, reply.Status == 403 ? "Let a policy of the login's role permit update of auth/token/revoke-accessor, by which a job ends what one before it left behind." : null);
    }
}
