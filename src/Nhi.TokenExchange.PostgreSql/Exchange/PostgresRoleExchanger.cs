using Npgsql;

namespace Nhi.TokenExchange;

/// <summary>Makes a login role for each credential, and drops it at its end.</summary>
/// <remarks>
/// <para>A role for each credential, not one for each job whose password changes at a refresh. A new password would kill the one before in the same instant, while callers still hold it and may: a refresh would take away a valid
/// credential, and one whose answer is lost would take away both. Separate roles know nothing of each other: no state here, any number of jobs share one exchanger, and the handle, which is the role's name, is all that another
/// process needs. What a change of password would give for it, a job that owns what its last login made, <see cref="PostgresRoleOptions.ActAs"/> gives. A session ends with its role, and so never outlives its credential by more than
/// the time that ending takes; the refresh is due at half of the life, so that what was begun with the old login has the other half to finish.</para>
/// <para>An open session does not feel that its role's <c>VALID UNTIL</c> has passed. So the end is said to be assumed (<see cref="Issued{TCredential}.EndIsAssumed"/>): the session of the job drops the role then, and after a crash
/// whoever recovers does.</para>
/// <para>Where nobody knows whether the role was made (the connection broke, the deadline passed), it is given as a flawed credential, so that the pipeline ends it, or reports it.</para>
/// </remarks>
internal sealed class PostgresRoleExchanger : TokenExchanger<DatabaseLogin>
{
    // Collisions pass at once; each try is a new name.
    private const int MostTries = 5;
    // The admin's token has to end the login too, a little after that one's end.
    private static readonly TimeSpan TimeToEnd = TimeSpan.FromMinutes(2);

    private readonly AdminAccess _admin;
    private readonly PostgresRoleOptions _options;

    /// <exception cref="ArgumentException">An option is wrong.</exception>
    public PostgresRoleExchanger(AdminAccess admin, PostgresRoleOptions options)
    {
        if (LoginName.FlawOfPrefix(options.RolePrefix) is { } flaw)
            throw new ArgumentException($"RolePrefix {flaw}.", nameof(options));
        if (options.ConnectionLimit is < 1)
            throw new ArgumentException("ConnectionLimit is less than 1.", nameof(options));
        _admin = admin;
        _options = options;
        SubjectAudience = new Audience(options.SubjectAudience ?? admin.Server.AbsoluteUri);
    }

    public override Uri Issuer => _admin.Server;

    public override Audience SubjectAudience { get; }

    public override string? FlawOf(ScopeSet scopes) => GrantedRoles.FlawOf(scopes, _options.ActAs);

    public override async ValueTask<Issued<DatabaseLogin>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        Check(request);
        DateTimeOffset asked = request.Time.GetUtcNow();
        TimeSpan life = LifeOf(request, asked);
        for (int attempt = 1; ; attempt++)
        {
            NewLogin login = NewLogin.For(_options.RolePrefix, request.Target);
            bool isSent = false;
            await request.AnnounceHandleAsync(login.Name, cancellationToken).ConfigureAwait(false);
            try
            {
                await _admin.RunAsync(request.Subject, MakeAsync, cancellationToken).ConfigureAwait(false);
                return Made(login, request, asked, life, flaw: null);
            }
            catch (PostgresException refused) when (!PostgresFailure.EndsTheSession(refused) && refused.SqlState != PostgresErrorCodes.QueryCanceled)
            {
                // The server undid what it had done of it.
                if (!PostgresFailure.IsCollision(refused) || attempt == MostTries)
                    throw PostgresFailure.Of(refused, ExchangeStage.Exchange, _admin);
            }
            catch (Exception failure) when (isSent)
            {
                return Made(login, request, asked, life, Unknown(login, failure));
            }
            catch (Exception failure) when (PostgresFailure.IsServers(failure))
            {
                throw PostgresFailure.Of(failure, ExchangeStage.Exchange, _admin);
            }

            async Task<bool> MakeAsync(NpgsqlConnection connection)
            {
                await GrantedRoles.CheckAsync(connection, request.Scopes, cancellationToken).ConfigureAwait(false);
                DateTimeOffset serverNow = await ServerTimeAsync(connection, login, cancellationToken).ConfigureAwait(false);
                // One message, and so one transaction: all of it or nothing.
#pragma warning disable CA2100 // CREATE ROLE takes no parameters: SqlText quotes.
                var make = new NpgsqlCommand(login.Sql(_options, request, serverNow + life), connection);
#pragma warning restore CA2100
                await using (make.ConfigureAwait(false))
                {
                    isSent = true;
                    await make.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
                }
                return true;
            }
        }
    }

    public override ExposureAnswer ReusableAfterJob { get; } = ExposureAnswer.No("the login is dropped when the job ends, and its sessions with it");

    public override ExposureAnswer VisibleToOperators { get; } = ExposureAnswer.No("the password is made in this process, and the server keeps no more than its SCRAM verifier");

    /// <remarks>Needs nothing but the handle where the admin is the operating system's user; else also the admin's proof: the one that came with the credential, or, where that is refused by now and after a crash, a new one.</remarks>
    public override async ValueTask<Revocation> RevokeAsync(RevocationRequest<DatabaseLogin> request, CancellationToken cancellationToken)
    {
        if ((request.Handle ?? request.Credential?.Role) is not { } name || !LoginName.Is(_options.RolePrefix, name))
        {
            throw new TokenExchangeException(ErrorCodes.RevocationFailed, ExchangeStage.Revoke, "The handle is not the name of a role that this target makes; no other is touched.")
            {
                Target = request.Target, Hint = $"Names begin with '{_options.RolePrefix}_': has RolePrefix changed?",
            };
        }
        SubjectToken? proof = request.Credential?.AdminProof;
        if (proof is null && !_admin.IsPeer && request.Subject is { } subject)
            proof = await subject(cancellationToken).ConfigureAwait(false);
        if (proof is null && !_admin.IsPeer)
        {
            throw new TokenExchangeException(ErrorCodes.RevocationFailed, ExchangeStage.Revoke, $"Outside a job there is no access token of the admin, and so nobody to end role '{name}'.")
            {
                Target = request.Target, Hint = "The server lets nobody in with it after its VALID UNTIL. End its sessions and drop it, as the page PostgreSQL says; or let the admin in by peer.",
            };
        }
        try
        {
            return await EndAsync(name, proof, cancellationToken).ConfigureAwait(false);
        }
        catch (TokenExchangeException refused) when (refused.Code == ErrorCodes.ProofRefused && proof is not null && proof == request.Credential?.AdminProof && request.Subject is not null)
        {
            return await EndAsync(name, await AnotherProofAsync(request.Subject, proof, refused, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<Revocation> EndAsync(string name, SubjectToken? proof, CancellationToken cancellationToken)
    {
        try
        {
            return await new LoginEnding(_admin, proof, name, LoginName.HeirOf(_options.RolePrefix)).EndAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (PostgresFailure.IsServers(failure))
        {
            throw PostgresFailure.Of(failure, ExchangeStage.Revoke, _admin);
        }
    }

    // The token that a login was made with may have died meanwhile, and the job has another. Where there is none, what the server said stands.
    private static async Task<SubjectToken> AnotherProofAsync(Func<CancellationToken, ValueTask<SubjectToken>> subject, SubjectToken dead, TokenExchangeException refused, CancellationToken cancellationToken)
    {
        try
        {
            SubjectToken another = await subject(cancellationToken).ConfigureAwait(false);
            return another.Fingerprint != dead.Fingerprint ? another : throw refused;
        }
        catch (TokenExchangeException none) when (none != refused)
        {
            throw refused;
        }
    }

    private void Check(ExchangeRequest request)
    {
        if (request.Tenant is not null || request.Claims is not null)
            throw Refused(request.Claims is null ? ErrorCodes.TenantRefused : ErrorCodes.ClaimsRefused, "A tenant or the claims of a challenge were asked for; a database knows neither.", "Ask without.");
        if (GrantedRoles.FlawOf(request.Scopes, _options.ActAs) is { } flaw)
            throw Refused(ErrorCodes.ScopeOutsideTarget, $"The scopes that are asked for, or that the policy left, {flaw}.", "Let the policy leave what the login needs.");
        if (!_admin.IsPeer && request.Subject.Type != SubjectTokenType.AccessToken)
            throw Refused(ErrorCodes.ExchangerFailed, $"The proof is of type {ExceptionText.Clean(request.Subject.Type.ToString())}; over TCP the admin shows an access token. It was not sent.", "Let the target go Through another one that gives the access token, or reach the server by its unix socket.");
    }

    private TimeSpan LifeOf(ExchangeRequest request, DateTimeOffset asked)
    {
        if (_admin.IsPeer || request.Subject.ExpiresAt is not { } end || end - asked - TimeToEnd >= request.MaxLifetime)
            return request.MaxLifetime;
        TimeSpan life = end - asked - TimeToEnd;
        // Short of that: half of what there is, or a token of a minute would make no login at all.
        return life > TimeToEnd ? life : (end - asked) / 2;
    }

    private Issued<DatabaseLogin> Made(NewLogin login, ExchangeRequest request, DateTimeOffset asked, TimeSpan life, TokenExchangeException? flaw) =>
        // The server counted from later on: what we say is never after its end.
        new(new DatabaseLogin(login.Name, login.Password, asked + life) { AdminProof = _admin.IsPeer ? null : request.Subject })
        {
            GrantedScopes = request.Scopes,
            RefreshAt = asked + (life / 2),
            EndIsAssumed = true,
            RevocationHandle = login.Name,
            CorrelationId = login.Name,
            Flaw = flaw,
        };

    private TokenExchangeException Unknown(NewLogin login, Exception failure) =>
        new(ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, $"{_admin.Server} went away ({failure.GetBaseException().GetType().Name}) before it said whether role '{login.Name}' was made; that one is ended.") { IsTransient = true, CorrelationId = login.Name };

    // Names the login: what is on its way when the client is killed comes to a session that LoginEnding finds by that.
    private static async Task<DateTimeOffset> ServerTimeAsync(NpgsqlConnection connection, NewLogin login, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100 // SqlText quotes the name, which has nothing in it that ends a comment.
        var command = new NpgsqlCommand($"SELECT pg_catalog.clock_timestamp() /* for {SqlText.Name(login.Name)} */", connection);
#pragma warning restore CA2100
        await using (command.ConfigureAwait(false))
        {
            return new DateTimeOffset((DateTime)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!, TimeSpan.Zero);
        }
    }

    private static TokenExchangeException Refused(string code, string what, string hint) => new(code, ExchangeStage.Exchange, what) { Hint = hint };
}
