namespace Nhi.TokenExchange;

/// <summary>Turns an answer into a credential, and says what about it is not as asked. A token that exists is always given: it has to be ended.</summary>
internal sealed record ExpectedToken
{
    private const int ShortestPiece = 16;
    private const long ShortestSeconds = 1;
    private const long LongestSeconds = 10L * 365 * 24 * 60 * 60;

    /// <summary>How long a token is taken to live if neither the issuer nor the token says so.</summary>
    public required TimeSpan DefaultLifetime { get; init; }

    /// <summary>The type that was asked for; null if the choice was the issuer's.</summary>
    public SubjectTokenType? RequestedType { get; init; }

    /// <summary>Whether the answer must say which type it is (RFC 8693 §2.2.1 says so; not all issuers do).</summary>
    public bool IssuedTypeIsDemanded { get; init; }

    /// <summary>The <c>aud</c> values of which a JWT must have one, if it has any; empty checks nothing.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>The scopes that were asked for; empty leaves them to the issuer.</summary>
    public ScopeSet Scopes { get; init; }

    /// <summary>The issuer's word for all scopes that there are; null if it has none.</summary>
    public string? ScopeOfAll { get; init; }

    /// <summary>What was asked for, a JSON array; null if nothing was.</summary>
    public string? AuthorizationDetails { get; init; }

    /// <summary>Whether what was granted of them may be said nowhere, neither in the answer nor in the token.</summary>
    public bool DetailsMayGoUnsaid { get; init; }

    /// <summary>The same for one request, of which a policy may have left less.</summary>
    public ExpectedToken For(ExchangeRequest request) => this with { Scopes = request.Scopes, AuthorizationDetails = request.AuthorizationDetails ?? AuthorizationDetails };

    /// <summary>Makes the credential.</summary>
    /// <param name="answer">What came.</param>
    /// <param name="sent">The proof, and what came of it in a step before, where an answer that brings one of them back is no credential; none where it may.</param>
    /// <exception cref="TokenExchangeException">The token has characters that no bearer token has.</exception>
    public Issued<BearerToken> Issue(TokenAnswer answer, params ReadOnlySpan<string> sent)
    {
        AccessTokenClaims? claims = AccessTokenClaims.Read(answer.AccessToken!);
        TokenExchangeException? flaw = sent.Contains(answer.AccessToken)
            ? Flaw(answer, ErrorCodes.ProofReturned, "the access_token is the very token that was sent, so nothing was exchanged", "Let the issuer issue a token of its own: check the federation policy, and that the proof is not a token of that issuer already.")
            : FlawOf(answer, claims);
        ScopeSet? scopes = null;
        try
        {
            // Scopes are shown and recorded.
            if (answer.Scope is { } said && (answer.Secrets.TakenOutOf(said) != said || said.Split(' ').Any(scope => IsOfAToken(scope, answer.Secrets))))
                flaw ??= Malformed(answer, "has a token in its 'scope'");
            else
                scopes = string.IsNullOrEmpty(answer.Scope) ? null : ScopeSet.Parse(answer.Scope);
        }
        catch (ArgumentException)
        {
            flaw ??= Malformed(answer, "has a 'scope' that RFC 6749 §3.3 does not allow");
        }
        try
        {
            DateTimeOffset? end = EndOf(answer, claims);
            return new Issued<BearerToken>(new BearerToken(answer.AccessToken!, end ?? answer.AskedAt + DefaultLifetime))
            {
                EndIsAssumed = end is null, GrantedScopes = scopes, Audiences = [.. (claims?.Audiences ?? []).Select(answer.Secrets.TakenOutOf)], CorrelationId = answer.CorrelationId, Flaw = flaw,
            };
        }
        catch (ArgumentException exception)   // names the position, never the token
        {
            throw Malformed(answer, $"has an access_token that can't be sent: {ExceptionText.SaidBy(exception)}", isTransient: false);
        }
    }

    // A JWT, whosever it is, or a piece of a token of this call that is too long for a word.
    private static bool IsOfAToken(string scope, SentSecrets secrets) =>
        scope.Length >= ShortestPiece && (scope.Contains("eyJ", StringComparison.Ordinal) || secrets.HasPart(scope));

    // RFC 6749 §5.1: absent expires_in means that the life is said elsewhere; the token itself may, else a short one is safe.
    // Where both say it, the earlier one: after that one or the other calls it dead.
    private static DateTimeOffset? EndOf(TokenAnswer answer, AccessTokenClaims? claims)
    {
        DateTimeOffset? said = answer.ExpiresIn is { } seconds && IsInRange(seconds) ? answer.AskedAt.AddSeconds(seconds) : null;
        DateTimeOffset? own = claims?.ExpiresAt is { } end && end < answer.AskedAt.AddSeconds(LongestSeconds) ? end : null;
        return said < own || own is null ? said : own;
    }

    private static bool IsInRange(long seconds) => seconds is >= ShortestSeconds and <= LongestSeconds;

    private TokenExchangeException? FlawOf(TokenAnswer answer, AccessTokenClaims? claims)
    {
        if (answer.Fault is { } fault)
            return Malformed(answer, fault);
        if (answer.ExpiresIn is { } seconds && !IsInRange(seconds))
            return Malformed(answer, FormattableString.Invariant($"says expires_in {seconds}; {ShortestSeconds} to {LongestSeconds} seconds are taken"));
        if (!IsBearer(answer.TokenType))
            return WrongType(answer, $"'{OuterText.Shown(answer.TokenType ?? "(absent)", 60, answer.Secrets)}' came as token_type; 'Bearer' was expected");
        if (!IsIssuedTypeRight(answer.IssuedTokenType))
            return WrongType(answer, $"'{OuterText.Shown(answer.IssuedTokenType ?? "(absent)", 100, answer.Secrets)}' came as issued_token_type; '{RequestedType ?? SubjectTokenType.AccessToken}' was expected");
        if (AuthorizationDetails is not null && claims?.Fault is { } unread)
            return Malformed(answer, $"has an access_token whose details can't be believed: its payload {unread}", isTransient: false);
        if (FaultOfDetails(answer, claims) is { } wider)
            return Flaw(answer, ErrorCodes.WiderScope, wider, "Let the issuer grant what is asked for.");
        if (!Scopes.IsEmpty && (claims?.ScopeFault ?? claims?.Fault) is { } unsaid)
            return Malformed(answer, $"has an access_token whose scope can't be believed: its payload {unsaid}", isTransient: false);
        // What the answer says itself is the grant's to check.
        if (claims is not null && TokenScopes.Beyond(Scopes, claims.Scopes.Except(answer.Scope?.Split(' ') ?? []), ScopeOfAll) is { } beyond)
            return Flaw(answer, ErrorCodes.WiderScope, $"the token says scope '{OuterText.Shown(beyond, 60, answer.Secrets)}' of itself, and '{Scopes}' was asked for", "Let the issuer grant what is asked for, or ask for what it grants.");
        if (Audiences.Count > 0 && claims?.Fault is { } unreadable)
            return Malformed(answer, $"has an access_token whose audience can't be believed: its payload {unreadable}", isTransient: false);
        if (Audiences.Count > 0 && claims is { Audiences.Count: > 0 } && !claims.Audiences.Any(Audiences.Contains))
            return Flaw(answer, ErrorCodes.WrongAudience, $"the token is for '{OuterText.Shown(string.Join("', '", claims.Audiences), sent: answer.Secrets)}'; '{string.Join("', '", Audiences)}' was asked", "If the issuer names it so, add it to the audiences that are accepted.");
        return null;
    }

    // RFC 9396 §7: the answer says what was granted; §9.1: a JWT may say it too. Whatever is said must lie within what was asked.
    private string? FaultOfDetails(TokenAnswer answer, AccessTokenClaims? claims)
    {
        string? inToken = AuthorizationDetails is null || claims?.AuthorizationDetails is not { } said ? null : said;
        string? faultInToken = inToken is null ? null : AuthorizationDetailsCheck.FaultOf(AuthorizationDetails, inToken);
        return answer.AuthorizationDetails is null && (inToken is not null || DetailsMayGoUnsaid)
            ? faultInToken
            : AuthorizationDetailsCheck.FaultOf(AuthorizationDetails, answer.AuthorizationDetails) ?? faultInToken;
    }

    // RFC 8693 §2.2.1: N_A where what was asked for is no access token.
    private bool IsBearer(string? type) =>
        string.Equals(type, "Bearer", StringComparison.OrdinalIgnoreCase)
        || (string.Equals(type, "N_A", StringComparison.OrdinalIgnoreCase) && RequestedType is { } requested && requested != SubjectTokenType.AccessToken);

    private bool IsIssuedTypeRight(string? issued)
    {
        if (issued is null)
            return !IssuedTypeIsDemanded;
        return RequestedType is { } requested
            ? issued == requested.ToString()
            : issued == SubjectTokenType.AccessToken.ToString() || issued == SubjectTokenType.Jwt.ToString();
    }

    private static TokenExchangeException WrongType(TokenAnswer answer, string what) =>
        Flaw(answer, ErrorCodes.WrongTokenType, what, "Check what the issuer issues for this kind of exchange.");

    private static TokenExchangeException Flaw(TokenAnswer answer, string code, string what, string hint) =>
        new(code, ExchangeStage.Verify, $"What was issued is not what was asked for: {what}. It is not handed out.") { CorrelationId = answer.CorrelationId, Hint = hint };

    private static TokenExchangeException Malformed(TokenAnswer answer, string what, bool isTransient = true) =>
        new(ErrorCodes.IssuerAnswerMalformed, ExchangeStage.Exchange, $"The answer {what}.") { CorrelationId = answer.CorrelationId, IsTransient = isTransient };
}
