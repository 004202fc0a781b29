using System.Net;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Nhi.TokenExchange;

/// <summary>Sets the credential of a target on the requests of an Azure SDK client; the rules are those of <see cref="CredentialHandler"/>.</summary>
/// <remarks>Stands below Azure.Core's retry and redirect policies, so each try and each hop comes through here, and above its logging, which shows the header's name only.</remarks>
internal sealed class CredentialPolicy : HttpPipelinePolicy
{
    private readonly CredentialProvider<BearerToken> _provider;
    private readonly Origin[] _origins;

    // Not a cache: it says that asking for this credential once more is in vain. One reference, so it is read and written whole.
    private AnsweredChallenge? _answered;

    /// <exception cref="ArgumentException">There is no origin, or one is none.</exception>
    public CredentialPolicy(CredentialProvider<BearerToken> provider, IEnumerable<Uri> allowedOrigins)
    {
        _provider = provider;
        _origins = [.. allowedOrigins.Select(Checked)];
        if (_origins.Length == 0)
            throw new ArgumentException($"There is no allowed origin, and the target '{provider.Target}' has none. Name at least one, such as https://lake.blob.core.windows.net.", nameof(allowedOrigins));
    }

    /// <inheritdoc/>
    /// <exception cref="TokenExchangeException">The address is not among the allowed origins, the request has an <c>Authorization</c> header already, or there is no credential to be had.</exception>
    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        Check(message.Request);
        BearerToken plain = await GetAsync(null, message.CancellationToken).ConfigureAwait(false);
        CredentialRequest? request = AnsweredWith(plain);
        BearerToken credential = request is null ? plain : await GetAsync(request, message.CancellationToken).ConfigureAwait(false);
        await SendAsync(message, pipeline, credential).ConfigureAwait(false);
        if (!IsRefusal(message))
            return;
        CredentialRequest? challenge = ClaimsOf(message.Response);
        if (challenge is null)
            _provider.Reject(credential);
        BearerToken another;
        try
        {
            another = await GetAsync(challenge ?? request, message.CancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (HasNoOther(exception) || (challenge is not null && TakesNoClaims(exception)))
        {
            return;
        }
        catch
        {
            message.Response.Dispose();
            throw;
        }
        if (another.Fingerprint == credential.Fingerprint)
            return;
        if (challenge is not null)
            _answered = new AnsweredChallenge(plain.Fingerprint, challenge);
        message.Response.Dispose();
        // What the target says to a credential of this moment is the caller's to see, and no reason for a third.
        await SendAsync(message, pipeline, another).ConfigureAwait(false);
    }

    /// <summary>As <see cref="ProcessAsync"/>, for callers that can't await.</summary>
    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        Check(message.Request);
        BearerToken plain = Get(null, message.CancellationToken);
        CredentialRequest? request = AnsweredWith(plain);
        BearerToken credential = request is null ? plain : Get(request, message.CancellationToken);
        Send(message, pipeline, credential);
        if (!IsRefusal(message))
            return;
        CredentialRequest? challenge = ClaimsOf(message.Response);
        if (challenge is null)
            _provider.Reject(credential);
        BearerToken another;
        try
        {
            another = Get(challenge ?? request, message.CancellationToken);
        }
        catch (Exception exception) when (HasNoOther(exception) || (challenge is not null && TakesNoClaims(exception)))
        {
            return;
        }
        catch
        {
            message.Response.Dispose();
            throw;
        }
        if (another.Fingerprint == credential.Fingerprint)
            return;
        if (challenge is not null)
            _answered = new AnsweredChallenge(plain.Fingerprint, challenge);
        message.Response.Dispose();
        Send(message, pipeline, another);
    }

    /// <summary>The target's name; never a token.</summary>
    public override string ToString() => $"Credential policy of target '{_provider.Target}'";

    private ValueTask<BearerToken> GetAsync(CredentialRequest? request, CancellationToken cancellationToken)
    {
        if (request is not null)
            return _provider.GetAsync(request, cancellationToken);
        return _provider.TryGet(out BearerToken? ready) ? new ValueTask<BearerToken>(ready) : _provider.GetAsync(cancellationToken);
    }

    private BearerToken Get(CredentialRequest? request, CancellationToken cancellationToken)
    {
        if (request is null && _provider.TryGet(out BearerToken? ready))
            return ready;
        ValueTask<BearerToken> getting = GetAsync(request, cancellationToken);
        return Blocking.Wait(getting.AsTask());
    }

    private static async ValueTask SendAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline, BearerToken credential)
    {
        Apply(message.Request, credential);
        try
        {
            await ProcessNextAsync(message, pipeline).ConfigureAwait(false);
        }
        finally
        {
            message.Request.Headers.Remove(HttpHeader.Names.Authorization);
        }
    }

    private static void Send(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline, BearerToken credential)
    {
        Apply(message.Request, credential);
        try
        {
            ProcessNext(message, pipeline);
        }
        finally
        {
            message.Request.Headers.Remove(HttpHeader.Names.Authorization);
        }
    }

    private static void Apply(Request request, BearerToken credential) =>
        request.Headers.SetValue(HttpHeader.Names.Authorization, "Bearer " + credential.Reveal());

    private static bool IsRefusal(HttpMessage message) => message.HasResponse && message.Response.Status == (int)HttpStatusCode.Unauthorized;

    private static CredentialRequest? ClaimsOf(Response response) =>
        ClaimsChallenge.Find(response) is { } claims ? new CredentialRequest { Claims = claims } : null;

    // The target refuses one credential after the other, and the next is seconds away.
    private static bool HasNoOther(Exception exception) => exception is TokenExchangeException { Code: ErrorCodes.CredentialRefused };

    // The exchanger takes no claims, or the provider has but the one credential: then the target's own answer says more than ours.
    private static bool TakesNoClaims(Exception exception) =>
        exception is NotSupportedException or TokenExchangeException { Code: ErrorCodes.ClaimsRefused };

    private CredentialRequest? AnsweredWith(BearerToken credential) =>
        _answered is { } answered && answered.RefusedFingerprint == credential.Fingerprint ? answered.Request : null;

    private void Check(Request request)
    {
        if (string.IsNullOrEmpty(request.Uri.Scheme) || string.IsNullOrEmpty(request.Uri.Host))
            throw Refused("The request has no absolute address.", "Give the client an absolute address.");
        Origin origin = Origin.Of(request.Uri.ToUri());
        if (Array.IndexOf(_origins, origin) < 0)
            throw Refused($"The credential does not go to {ExceptionText.Clean(origin.ToString())}; its origins are: {string.Join(", ", _origins)}.", "Send this request by another client, or add the origin to the target's AllowedOrigins or to AddCredential.");
        if (request.Headers.Contains(HttpHeader.Names.Authorization))
            throw Refused("The request has an Authorization header already.", "Make the client without a credential, and call AddCredential once for its options.", ErrorCodes.AuthorizationAlreadySet);
    }

    private TokenExchangeException Refused(string detail, string hint, string code = ErrorCodes.OriginRefused) =>
        new(code, ExchangeStage.Configure, detail) { Target = _provider.Target, Hint = hint };

    private static Origin Checked(Uri origin)
    {
        if (origin is not { IsAbsoluteUri: true } || !Origin.IsSafe(origin) || origin.UserInfo.Length > 0 || origin.PathAndQuery != "/" || origin.Fragment.Length > 0)
            throw new ArgumentException("An allowed origin is not an https origin, such as https://lake.blob.core.windows.net, without user, path and query; http is for loopback only.", nameof(origin));
        return Origin.Of(origin);
    }

    /// <summary>A credential of the target that the resource refused for want of claims, and what to ask for in its place.</summary>
    private sealed record AnsweredChallenge(string RefusedFingerprint, CredentialRequest Request);
}
