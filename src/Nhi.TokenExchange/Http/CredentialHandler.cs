using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace Nhi.TokenExchange;

/// <summary>Sets the credential of a target on requests to that target's origins, and nowhere else.</summary>
/// <remarks>
/// A request to another origin is refused, not sent without. If the target refuses the credential (401, or a 403 that says that the
/// token is expired or invalid) it is rejected at the provider, and the request is sent once more with another one, provided that its
/// content can be sent again: there is none, or it is a <see cref="ByteArrayContent"/> (text and forms are), a
/// <see cref="ReadOnlyMemoryContent"/>, or a <see cref="JsonContent"/> after <see cref="HttpContent.LoadIntoBufferAsync()"/>; one
/// that is not buffered serializes its value anew, which may have changed by then. With other content the caller gets the 401, and
/// the next request goes out with a new credential. A plain 403 is a denial: nothing is rejected or repeated. Put it innermost, below
/// handlers that retry: it takes its header off the request again when the answer is there. If the target refuses one new credential
/// after the other, the next ones are seconds apart, and requests in between fail with NHI8004. Holds no state of its own and may be
/// shared; after the job's end it throws. Another job's request says so: <c>request.Options.Set(CredentialHandler.Job, job)</c>.
/// </remarks>
public sealed class CredentialHandler : DelegatingHandler
{
    private readonly CredentialProvider<BearerToken> _provider;
    private readonly Origin[] _origins;

    /// <summary>Names the job that a request belongs to, where a client serves several: its credential of the same target is sent, to origins that both jobs allow. Default: the job that the handler was made for.</summary>
    public static HttpRequestOptionsKey<JobSession> Job { get; } = new("Nhi.TokenExchange.Job");

    /// <summary>Makes a handler without an inner one: for a handler factory, or to set <see cref="DelegatingHandler.InnerHandler"/>.</summary>
    /// <param name="provider">Gives the credential; asked for each request.</param>
    /// <param name="allowedOrigins">Where the credential may go: at least one https origin, such as <c>https://warehouse.example</c>, without a path; http for loopback only.</param>
    /// <exception cref="ArgumentException">There is no origin, or one is none.</exception>
    public CredentialHandler(CredentialProvider<BearerToken> provider, IEnumerable<Uri> allowedOrigins)
    {
        ArgumentNullException.ThrowIfNull(provider);
        ArgumentNullException.ThrowIfNull(allowedOrigins);
        _provider = provider;
        _origins = [.. allowedOrigins.Select(Checked)];
        if (_origins.Length == 0)
            throw new ArgumentException("There is no allowed origin. Name at least one, such as https://warehouse.example.", nameof(allowedOrigins));
    }

    /// <inheritdoc/>
    /// <exception cref="TokenExchangeException">The address is not among the allowed origins, the request has an <c>Authorization</c> header already, or there is no credential to be had.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Uri address = CheckedAddress(request);
        CredentialProvider<BearerToken> provider = ProviderFor(request, address);
        BearerToken credential = await GetAsync(provider, cancellationToken).ConfigureAwait(false);
        (HttpResponseMessage response, bool isRefusal) = await TryAsync(request, address, credential, cancellationToken).ConfigureAwait(false);
        if (!isRefusal)
            return response;
        provider.Reject(credential);
        if (!CanBeSentAgain(request.Content))
            return response;
        try
        {
            BearerToken another = await GetAsync(provider, cancellationToken).ConfigureAwait(false);
            if (another.Fingerprint == credential.Fingerprint)
                return response;
            credential = another;
        }
        catch (TokenExchangeException refused) when (refused.Code == ErrorCodes.CredentialRefused)
        {
            return response;   // no other is to be had for now: what the target said is the caller's to see
        }
        catch
        {
            response.Dispose();
            throw;
        }
        response.Dispose();
        // What the target says to a credential of this moment is the caller's to see, and no reason for a third.
        return (await TryAsync(request, address, credential, cancellationToken).ConfigureAwait(false)).Response;
    }

    /// <summary>As <see cref="SendAsync"/>, for callers that can't await. Without a ready credential it blocks its own caller, holding no lock, until there is one. Many such callers at once on threads of the pool: await the first credential before (the page "Concepts").</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TokenExchangeException">As <see cref="SendAsync"/>.</exception>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Uri address = CheckedAddress(request);
        CredentialProvider<BearerToken> provider = ProviderFor(request, address);
        BearerToken credential = Get(provider, cancellationToken);
        (HttpResponseMessage response, bool isRefusal) = Try(request, address, credential, cancellationToken);
        if (!isRefusal)
            return response;
        provider.Reject(credential);
        if (!CanBeSentAgain(request.Content))
            return response;
        try
        {
            BearerToken another = Get(provider, cancellationToken);
            if (another.Fingerprint == credential.Fingerprint)
                return response;
            credential = another;
        }
        catch (TokenExchangeException refused) when (refused.Code == ErrorCodes.CredentialRefused)
        {
            return response;   // no other is to be had for now: what the target said is the caller's to see
        }
        catch
        {
            response.Dispose();
            throw;
        }
        response.Dispose();
        return Try(request, address, credential, cancellationToken).Response;
    }

    /// <summary>What sends where nobody says otherwise: no redirect, no cookie; connections are renewed now and then, so that a long job sees changes of DNS.</summary>
    internal static SocketsHttpHandler NewSockets() =>
        new() { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) };

    private static ValueTask<BearerToken> GetAsync(CredentialProvider<BearerToken> provider, CancellationToken cancellationToken) =>
        provider.TryGet(out BearerToken? ready) ? new ValueTask<BearerToken>(ready) : provider.GetAsync(cancellationToken);

    private static BearerToken Get(CredentialProvider<BearerToken> provider, CancellationToken cancellationToken) =>
        provider.TryGet(out BearerToken? ready) ? ready : Blocking.Wait(provider.GetAsync(cancellationToken).AsTask());

    // Said by the request itself, never by what happens to flow along with it: a pooled handler serves all jobs.
    private CredentialProvider<BearerToken> ProviderFor(HttpRequestMessage request, Uri address)
    {
        if (!request.Options.TryGetValue(Job, out JobSession? job) || job is null)
            return _provider;
        CredentialProvider<BearerToken> provider = job.Provider<BearerToken>(_provider.Target);
        Origin origin = Origin.Of(address);
        return provider.AllowedOrigins.Any(allowed => Origin.Of(allowed) == origin)
            ? provider
            : throw Refused($"The credential of the request's job does not go to {ExceptionText.Clean(origin.ToString())}.", "Let both jobs allow this origin for the target.");
    }

    private async Task<(HttpResponseMessage Response, bool IsRefusal)> TryAsync(HttpRequestMessage request, Uri address, BearerToken credential, CancellationToken cancellationToken)
    {
        AuthenticationHeaderValue header = Apply(credential, request);
        try
        {
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            return (response, Answers(response, address, header) && await CredentialRefusal.IsInAsync(response, cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            request.Headers.Authorization = null;
        }
    }

    private (HttpResponseMessage Response, bool IsRefusal) Try(HttpRequestMessage request, Uri address, BearerToken credential, CancellationToken cancellationToken)
    {
        AuthenticationHeaderValue header = Apply(credential, request);
        try
        {
            HttpResponseMessage response = base.Send(request, cancellationToken);
            return (response, Answers(response, address, header) && CredentialRefusal.IsIn(response, cancellationToken));
        }
        finally
        {
            request.Headers.Authorization = null;
        }
    }

    private static AuthenticationHeaderValue Apply(BearerToken credential, HttpRequestMessage request)
    {
        credential.ApplyTo(request.Headers);
        return request.Headers.Authorization!;
    }

    // A redirect followed below us drops the header and goes elsewhere: what is answered there says nothing about the credential.
    private static bool Answers(HttpResponseMessage response, Uri address, AuthenticationHeaderValue header) =>
        response.RequestMessage is not { } answered || (answered.RequestUri == address && header.Equals(answered.Headers.Authorization));

    // A JsonContent has a length only once it is buffered.
    internal static bool CanBeSentAgain(HttpContent? content) =>
        content is null or ByteArrayContent or ReadOnlyMemoryContent || (content is JsonContent && content.Headers.ContentLength is not null);

    private Uri CheckedAddress(HttpRequestMessage request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.RequestUri is not { IsAbsoluteUri: true } address)
            throw Refused("The request has no absolute address.", "Give it one, or set the BaseAddress of the client.");
        Origin origin = Origin.Of(address);
        if (Array.IndexOf(_origins, origin) < 0)
            throw Refused($"The credential does not go to {ExceptionText.Clean(origin.ToString())}; its origins are: {string.Join(", ", _origins)}.", "Send this request by another client, or add the origin to the target's AllowedOrigins.");
        if (request.Headers.NonValidated.Contains("Authorization"))
            throw Refused("The request has an Authorization header already.", "Set no Authorization header, neither on the request nor on the client: this handler does.", ErrorCodes.AuthorizationAlreadySet);
        return address;
    }

    private TokenExchangeException Refused(string detail, string hint, string code = ErrorCodes.OriginRefused) =>
        new(code, ExchangeStage.Configure, detail) { Target = _provider.Target, Hint = hint };

    private static Origin Checked(Uri origin)
    {
        if (origin is not { IsAbsoluteUri: true } || !Origin.IsSafe(origin) || origin.UserInfo.Length > 0 || origin.PathAndQuery != "/" || origin.Fragment.Length > 0)
            throw new ArgumentException("An allowed origin is not an https origin, such as https://warehouse.example, without user, path and query; http is for loopback only.", nameof(origin));
        return Origin.Of(origin);
    }
}
