using System.Net;
using System.Net.Http.Headers;

namespace Nhi.TokenExchange;

/// <summary>One issuer as a client sees it: its token endpoint and its revocation endpoint, configured or discovered.</summary>
/// <param name="issuer">The issuer identifier, as configured.</param>
/// <param name="configured">Its endpoints; null lets them be discovered.</param>
/// <param name="client">How the client says who it is.</param>
internal sealed class OAuthIssuer(Uri issuer, IssuerEndpoints? configured, ClientAuthentication client)
{
    private static readonly ExposureAnswer s_unread = ExposureAnswer.Yes("it is not known whether the issuer revokes: its metadata, which say it, have not been read");
    private static readonly ExposureAnswer s_refusing = ExposureAnswer.Yes("the issuer refuses to revoke such a token (unsupported_token_type): a copy works until it dies by itself");
    private static readonly ExposureAnswer s_withoutEndpoint = ExposureAnswer.Yes("no revocation endpoint is known, so that a copy works until the token dies by itself");
    private static readonly ExposureAnswer s_revoking = ExposureAnswer.No("the issuer revokes it when the job ends (RFC 7009); one that is self-contained is over where the target asks its issuer");

    private readonly Lazy<DiscoveryDocuments> _documents = new();
    private IssuerEndpoints? _known;
    private readonly LearntFact _refusesToRevoke = new();

    public Uri Identifier => issuer;

    /// <summary>Whether a token outlives its job; of an issuer whose metadata have not been read, yes.</summary>
    public ExposureAnswer ReusableAfterJob => (configured ?? _known) switch
    {
        null => s_unread,
        _ when _refusesToRevoke.IsSo => s_refusing,
        { Revocation: null } => s_withoutEndpoint,
        _ => s_revoking,
    };

    /// <summary>That it refuses to revoke, once it has.</summary>
    public LearntFact Learnt => _refusesToRevoke;

    /// <summary>Whether its endpoints are configured, and none of them revokes.</summary>
    public bool IsWithoutRevocation => configured is { Revocation: null };

    /// <summary>Whether its metadata may say more.</summary>
    public bool IsUnread => (configured ?? _known) is null;

    /// <summary>A token that somebody else issued is shown by nobody but its issuer, once.</summary>
    public static ExposureAnswer ShownOnce { get; } = ExposureAnswer.No("the issuer shows it once, to this process");

    /// <summary>Whether a body says that it is JSON, and is not packed: nobody asked for that.</summary>
    public static bool IsJson(HttpContent content) =>
        content.Headers.ContentEncoding.Count == 0
        && content.Headers.ContentType?.MediaType is { } type
        && (type.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase));

    /// <summary>Posts a grant to the token endpoint.</summary>
    /// <returns>An answer that holds a token. What is flawed about it is for <see cref="ExpectedToken"/> to say.</returns>
    /// <exception cref="TokenExchangeException">The issuer refused, was not reached, or twice gave no token that can be read.</exception>
    public async Task<TokenAnswer> AskAsync(TokenCall call, ExchangeRequest request, CancellationToken cancellationToken)
    {
        Uri endpoint = (await EndpointsAsync(request.Backchannel, request.Time, cancellationToken).ConfigureAwait(false)).Token;
        var authentication = new ClientAuthenticationRequest(request.Job, request.Backchannel, request.Time);
        for (bool isLast = false; ; isLast = true)
        {
            using OAuthResponse response = await PostAsync(endpoint, call, authentication, isRepeated: isLast, cancellationToken).ConfigureAwait(false);
            if (!response.Message.IsSuccessStatusCode)
                throw IssuerRefusal.Of(response, endpoint, request.Time, call);
            TokenAnswer answer = Read(response);
            if (!string.IsNullOrEmpty(answer.AccessToken))
                return answer;   // however it was said: it exists, and has to be ended if it can't be used
            if (answer.NamesAnError)
                throw IssuerRefusal.Of(response, endpoint, request.Time, call);
            if (isLast)
                throw Malformed(response, answer, endpoint);
        }
    }

    /// <summary>Asks the revocation endpoint to end a token (RFC 7009).</summary>
    /// <exception cref="TokenExchangeException">It could not be asked, or refused.</exception>
    public async ValueTask<Revocation> RevokeAsync(RevocationRequest<BearerToken> request, CancellationToken cancellationToken)
    {
        // RFC 7009 §2.1 wants the token itself: after a crash nobody has it.
        if (request.Credential is not { } token)
            return Revocation.NotSupported;
        // A lease of a job was looked at before, by both hands of its clock, and its end may be uncertain.
        if (token.Lease.Owner is null && token.ExpiresAt <= request.Time.GetUtcNow())
            return Revocation.AlreadyGone;
        Uri? endpoint = (await EndpointsAsync(request.Backchannel, request.Time, cancellationToken).ConfigureAwait(false)).Revocation;
        if (endpoint is null)
            return Revocation.NotSupported;
        var call = new TokenCall { Fill = form => form.Add("token", token.Reveal()).Add("token_type_hint", "access_token") };
        var authentication = new ClientAuthenticationRequest(JobContext.Unnamed, request.Backchannel, request.Time);
        using OAuthResponse response = await PostAsync(endpoint, call, authentication, isRepeated: false, cancellationToken).ConfigureAwait(false);
        bool isPage = response.Message.StatusCode == HttpStatusCode.OK && string.Equals(response.Message.Content.Headers.ContentType?.MediaType, "text/html", StringComparison.OrdinalIgnoreCase);
        if (response.Message.StatusCode == HttpStatusCode.OK && !isPage && !NamesAnError(response))
        {
            _refusesToRevoke.Note(false, request.Time);
            return Revocation.Revoked;   // RFC 7009 §2.2: also if it was dead before
        }
        TokenExchangeException refused = IssuerRefusal.Of(response, endpoint, request.Time);
        // RFC 7009 §2.2.1. Some say it of a token that has just died: of such a one it tells nothing about the others.
        if (refused.IssuerError == "unsupported_token_type")
        {
            if (token.ExpiresAt > request.Time.GetUtcNow())
                _refusesToRevoke.Note(true, request.Time);
            return Revocation.NotSupported;
        }
        throw new TokenExchangeException(ErrorCodes.RevocationFailed, ExchangeStage.Revoke, refused.Detail, refused)
        {
            IsTransient = refused.IsTransient || isPage, RetryAfter = refused.RetryAfter, CorrelationId = refused.CorrelationId, IssuerError = refused.IssuerError,
            Hint = isPage ? "That is a page and no answer; a proxy or a sign-in page may have answered. Whether the credential was ended is not known."
                : "The credential lives on until its end. Check that this client may revoke at the issuer.",
        };
    }

    // RFC 7009 §2.2 has nothing to read in a 200, but some say their errors so.
    private static bool NamesAnError(OAuthResponse response) => IsJson(response.Message.Content) && ErrorAnswer.Read(response.Body, response.Sent).IsSaid;

    /// <summary>The endpoints, configured or discovered.</summary>
    public async ValueTask<IssuerEndpoints> EndpointsAsync(HttpMessageInvoker backchannel, TimeProvider time, CancellationToken cancellationToken) =>
        configured ?? (_known = await _documents.Value.GetAsync(issuer, backchannel, time, cancellationToken).ConfigureAwait(false));

    private async Task<OAuthResponse> PostAsync(Uri endpoint, TokenCall call, ClientAuthenticationRequest authentication, bool isRepeated, CancellationToken cancellationToken)
    {
        var sent = new SentSecrets();
        using var post = new IssuerRequest(HttpMethod.Post, endpoint, sent);
        post.Headers.TryAddWithoutValidation("Accept", "application/json");
        if (call.ServerErrorIsFinal)
            post.Options.Set(IssuerBackchannel.ServerErrorIsFinal, true);
        if (client.IsFreshEachTime)
            post.Options.Set(IssuerBackchannel.NewContent, MakeContentAsync);
        post.Content = await MakeContentAsync(cancellationToken).ConfigureAwait(false);
        (DateTimeOffset, long) first = LastTry.First(authentication.Time);
        HttpResponseMessage response = await authentication.Backchannel.SendAsync(post, cancellationToken).ConfigureAwait(false);
        try
        {
            // Our back channel has read it; somebody else's need not have.
            response.Content = await BoundedContent.ReadAsync(response.Content, cancellationToken).ConfigureAwait(false);
            return new OAuthResponse(response, sent, LastTry.Of(post, first, authentication.Time), isRepeated || post.Options.TryGetValue(IssuerBackchannel.MayRepeatALostOne, out _));
        }
        catch
        {
            response.Dispose();
            throw;
        }

        async ValueTask<HttpContent> MakeContentAsync(CancellationToken cancellationToken)
        {
            var form = new FormBody();
            call.Fill(form);
            await client.AddToAsync(form, authentication, cancellationToken).ConfigureAwait(false);
            form.TellSecrets(sent);
            return form.ToContent(call.Prepared.Span);
        }
    }

    private static TokenAnswer Read(OAuthResponse response)
    {
        HttpContentHeaders headers = response.Message.Content.Headers;
        string? fault = response.Message.StatusCode != HttpStatusCode.OK ? $"has status {(int)response.Message.StatusCode}"
            : !IsJson(response.Message.Content) ? $"is not plain JSON but '{OuterText.Shown(headers.ContentEncoding.FirstOrDefault() ?? headers.ContentType?.MediaType ?? "nothing", sent: response.Sent)}'"
            : null;
        return TokenAnswer.Read(response.Body, response.AskedAt, CorrelationIds.Of(response.Message, response.Sent), response.Sent, fault);
    }

    private static TokenExchangeException Malformed(OAuthResponse response, TokenAnswer answer, Uri endpoint) =>
        new(ErrorCodes.IssuerAnswerMalformed, ExchangeStage.Exchange, $"The answer of host {endpoint.IdnHost} ({response.Body.Length} bytes) {answer.Fault ?? "has no access_token"}.")
        {
            IsTransient = true, CorrelationId = answer.CorrelationId, Hint = "Check that the URI is the token endpoint; a proxy or a sign-in page may have answered.",
        };
}
