using System.Runtime.ExceptionServices;
using System.Text.Json;
using Microsoft.Identity.Client;

namespace Nhi.TokenExchange;

/// <summary>Microsoft Entra ID: client credentials with a federated assertion (RFC 7523 §2.2), through MSAL.</summary>
/// <remarks>One MSAL client for each exchange: it has a cache of its own that goes with it, so that no token stays in MSAL and nothing stands between the job and its issuer.</remarks>
internal sealed class EntraExchanger : TokenExchanger<BearerToken>
{
    private const int LongestClaims = 8 * 1024;

    // A token that does not say when it dies is never handed out; for the report it dies when the longest-lived would.
    private static readonly TimeSpan UnknownLife = TimeSpan.FromDays(1);

    private readonly Uri _host;
    private readonly string _tenantId;
    private readonly string _clientId;
    private readonly string[] _allowedTenants;
    private readonly bool _acceptsClaims;
    private readonly string? _expectedIssuer;
    private readonly string? _expectedSubject;
    private readonly TimeSpan _propagationBudget;
    private readonly Action<ConfidentialClientApplicationBuilder>? _configureMsal;

    // Two flights may both be first; the later mark is off by no more than they are.
    private FirstExchange? _first;

    /// <exception cref="ArgumentException">Tenant, client or an option is wrong.</exception>
    public EntraExchanger(string tenantId, string clientId, EntraOptions options)
    {
        EntraNames.Check(tenantId, clientId, options);
        _host = options.AuthorityHost;
        _tenantId = tenantId;
        _clientId = clientId;
        _allowedTenants = [.. options.AllowedTenants];
        _acceptsClaims = options.AcceptClaimsChallenges;
        _expectedIssuer = options.ExpectedIssuer;
        _expectedSubject = options.ExpectedSubject;
        _propagationBudget = options.PropagationBudget;
        _configureMsal = options.ConfigureMsal;
        Issuer = new Uri(_host, $"/{tenantId}/v2.0");
        SubjectAudience = new Audience(options.SubjectAudience ?? EntraAuthorityHosts.SubjectAudienceOf(_host));
        UsableMargin = options.UsableMargin;
    }

    public override Uri Issuer { get; }

    public override Audience SubjectAudience { get; }

    public override TimeSpan UsableMargin { get; }

    public override string? Tenant => _tenantId;

    public override ExposureAnswer ReusableAfterJob { get; } = ExposureAnswer.Yes("Entra ID ends no application token before its time: a copy works until it dies, 60 to 90 minutes after it was issued, or a day where it takes claims challenges");

    public override ExposureAnswer VisibleToOperators { get; } = ExposureAnswer.No("Entra ID shows it once, to this process");

    public override string? FlawOf(ScopeSet scopes) => EntraScope.FlawOf(scopes);

    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        string tenant = TenantOf(request);
        string? claims = ClaimsOf(request);
        string scope = ScopeOf(request);
        var proof = PresentedProof.Of(request.Subject);
        var refusal = new EntraRefusal(new EntraTrust(_host.Authority, _clientId, SubjectAudience.ToString(), _expectedIssuer, _expectedSubject, request.Time.GetUtcNow));
        if (refusal.BeforeSending(proof) is { } mismatch)
            throw mismatch;
        _first ??= new FirstExchange(request.Time.GetTimestamp());
        using var conversation = new EntraConversation(new Uri(_host, $"/{tenant}/oauth2/v2.0/token"), request);
        bool isTaken = await AskAsync(conversation, tenant, scope, claims, request, cancellationToken).ConfigureAwait(false);
        EntraAnswer answer = conversation.Answer!;
        if (string.IsNullOrEmpty(answer.AccessToken) || (int)answer.Status is < 200 or >= 300)
            throw refusal.Of(answer, proof, (tenant, scope), request.Time.GetElapsedTime(_first.Timestamp) < _propagationBudget);
        return Issue(answer, isTaken, refusal);
    }

    /// <summary>Lets MSAL ask.</summary>
    /// <returns>Whether MSAL took the answer, which there is.</returns>
    private async Task<bool> AskAsync(EntraConversation conversation, string tenant, string scope, string? claims, ExchangeRequest request, CancellationToken cancellationToken)
    {
        try
        {
            ConfidentialClientApplicationBuilder builder = ConfidentialClientApplicationBuilder.Create(_clientId)
                .WithAuthority(new Uri(_host, $"/{tenant}"), validateAuthority: false)   // the authority is configured, not found out
                .WithInstanceDiscovery(false)
                .WithHttpClientFactory(conversation, retryOnceOn5xx: false)                          // the back channel repeats
                .WithClientAssertion((AssertionRequestOptions _) => Task.FromResult(request.Subject.Reveal()));
            _configureMsal?.Invoke(builder);
            AcquireTokenForClientParameterBuilder ask = builder.Build().AcquireTokenForClient([scope]).WithCorrelationId(request.FlightId == Guid.Empty ? Guid.NewGuid() : request.FlightId);
            if (claims is not null)
                ask = ask.WithClaims(claims);
            await ask.ExecuteAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception)
        {
            if (conversation.Failure is { } failure)
                ExceptionDispatchInfo.Throw(failure);
            if (conversation.Answer is not null)
                return false;
            cancellationToken.ThrowIfCancellationRequested();
            // MSAL's texts may quote what it was given: type and code are told alone.
            throw new TokenExchangeException(ErrorCodes.ExchangerFailed, ExchangeStage.Exchange, $"MSAL asked for nothing: {ExceptionText.Clean((exception as MsalException)?.ErrorCode ?? exception.GetType().Name)}.")
            {
                Hint = "Check tenant, client id and authority host.",
            };
        }
    }

    // A token that exists is always given, flawed or not: it is accounted for until it dies.
    private static Issued<BearerToken> Issue(EntraAnswer answer, bool isTaken, EntraRefusal refusal)
    {
        TokenExchangeException? flaw = answer.Fault is { } fault ? refusal.Malformed(answer, fault)
            : answer.Error is not null ? refusal.Malformed(answer, "has an 'error' beside what it grants")
            : !string.Equals(answer.TokenType, "Bearer", StringComparison.OrdinalIgnoreCase) ? WrongType(answer)
            : !answer.HasGoodLife ? refusal.Malformed(answer, answer.ExpiresIn is null ? "does not say how long the token lives (expires_in)" : FormattableString.Invariant($"says expires_in {answer.ExpiresIn}"))
            : !isTaken ? refusal.Malformed(answer, "was not taken by MSAL")
            : null;
        DateTimeOffset end = answer.AskedAt + (answer.HasGoodLife ? TimeSpan.FromSeconds(answer.ExpiresIn!.Value) : UnknownLife);
        try
        {
            return new Issued<BearerToken>(new BearerToken(answer.AccessToken!, end))
            {
                RefreshAt = answer.RefreshIn is > 0 and { } seconds && seconds < answer.ExpiresIn ? answer.AskedAt.AddSeconds(seconds) : null,
                CorrelationId = answer.CorrelationId,
                Flaw = flaw,
            };
        }
        catch (ArgumentException malformed)   // names length or position, never the token
        {
            throw refusal.Malformed(answer, $"has an access_token that can't be sent: {malformed.Message}");
        }
    }

    private static TokenExchangeException WrongType(EntraAnswer answer) =>
        new(ErrorCodes.WrongTokenType, ExchangeStage.Verify, $"What was issued is not what was asked for: '{OuterText.Shown(answer.TokenType ?? "(absent)", 60)}' came as token_type; 'Bearer' was expected. It is not handed out.")
        {
            CorrelationId = answer.CorrelationId, Hint = "The application or the tenant demands bound tokens, which this exchanger does not do.",
        };

    private string TenantOf(ExchangeRequest request)
    {
        if (request.Tenant is not { } tenant || string.Equals(tenant, _tenantId, StringComparison.OrdinalIgnoreCase))
            return _tenantId;
        return _allowedTenants.FirstOrDefault(allowed => string.Equals(allowed, tenant, StringComparison.OrdinalIgnoreCase)) ?? throw new TokenExchangeException(
            ErrorCodes.TenantRefused, ExchangeStage.Exchange, $"Tenant '{ExceptionText.Clean(tenant)}' was asked for; the target's are '{string.Join("', '", _allowedTenants.Prepend(_tenantId))}'. Nothing was sent.")
        {
            Hint = "If the job may reach that tenant, add it to EntraOptions.AllowedTenants.",
        };
    }

    private string? ClaimsOf(ExchangeRequest request)
    {
        if (request.Claims is not { } claims)
            return null;
        string? flaw = !_acceptsClaims ? "this target takes none" : FlawOfClaims(claims);
        return flaw is null ? claims : throw new TokenExchangeException(ErrorCodes.ClaimsRefused, ExchangeStage.Exchange, $"The claims of a challenge were given ({claims.Length} characters); {flaw}. Nothing was sent.")
        {
            Hint = "Set EntraOptions.AcceptClaimsChallenges where the resource challenges (Microsoft Graph), and give the claims as the resource sent them, decoded.",
        };
    }

    private static string? FlawOfClaims(string claims)
    {
        if (claims.Length > LongestClaims)
            return $"at most {LongestClaims} are taken";
        try
        {
            using JsonDocument json = JsonDocument.Parse(claims, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                return "they are no JSON object";
            return json.RootElement.EnumerateObject().Any(part => part.Value.ValueKind == JsonValueKind.Object && part.Value.TryGetProperty("xms_cc", out _))
                ? "they declare a capability (xms_cc), which would lengthen tokens to a day"
                : null;
        }
        catch (JsonException)
        {
            return "they are no JSON";
        }
    }

    private static string ScopeOf(ExchangeRequest request)
    {
        if (request.Actor is not null)
            throw new TokenExchangeException(ErrorCodes.ExchangerFailed, ExchangeStage.Exchange, "The target names an actor; Entra ID takes none.") { Hint = "Leave the actor out." };
        return EntraScope.FlawOf(request.Scopes) is { } flaw
            ? throw new TokenExchangeException(ErrorCodes.ExchangerFailed, ExchangeStage.Exchange, $"The scopes {flaw}.") { Hint = "Correct the scopes of the target." }
            : request.Scopes.Values[0];
    }

    private sealed record FirstExchange(long Timestamp);
}
