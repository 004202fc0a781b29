using System.Net.Http.Headers;

namespace Nhi.TokenExchange;

/// <summary>Sends requests with a static key to its target's origins, and nowhere else.</summary>
/// <remarks>
/// The key goes onto a copy of the request, which nobody but the handler below sees: not who made the request, and not its content. If the service refuses it (401, or a 403 that says so) the vault is asked
/// whether there is another by now, once a minute at most, and the request is sent once more with that, if its content can be. It is not a <see cref="DelegatingHandler"/>: what stands below was decided when the job was composed.
/// </remarks>
internal sealed class StaticKeyHandler : HttpMessageHandler
{
    private readonly JobSession _session;
    private readonly CredentialProvider<StaticKey> _provider;
    private readonly StaticKeyHeader _header;
    private readonly Origin[] _origins;
    private readonly HttpMessageHandler _inner;
    private readonly HttpMessageInvoker _wire;

    /// <exception cref="TokenExchangeException">The target has no header, or what sends follows redirects, or may.</exception>
    public StaticKeyHandler(JobSession session, TargetRuntime target, CredentialProvider<StaticKey> provider, HttpMessageHandler inner)
    {
        _session = session;
        _provider = provider;
        _header = ((StaticKeyExchanger)target.Plan.Exchanger).Header ?? throw new TokenExchangeException(ErrorCodes.InvalidConfiguration, ExchangeStage.Configure, "The target names no header for its static key; it is for an opener alone.")
        {
            Target = provider.Target, Hint = "Name the header (Header), or open connections by JobSession.OpenAsync.",
        };
        _inner = inner;
        RefuseRedirects();
        _origins = [.. target.Plan.AllowedOrigins.Select(Origin.Of)];
        _wire = new HttpMessageInvoker(inner);
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Uri address = CheckedAddress(request);
        RefuseRedirects();   // until the first request is sent it can still be set
        (CredentialProvider<StaticKey> provider, TimeProvider time) = ProviderFor(request, address);
        (StaticKey key, string text) = await provider.ReadAsync(cancellationToken).ConfigureAwait(false);
        (HttpResponseMessage response, bool isRefusal) = await TryAsync(request, address, text, cancellationToken).ConfigureAwait(false);
        if (!isRefusal)
            return response;
        try
        {
            if (await provider.ReadAnotherAsync(key, text, time, cancellationToken).ConfigureAwait(false) is not { } another || !CredentialHandler.CanBeSentAgain(request.Content))
                return response;
            text = another.Text;
        }
        catch
        {
            response.Dispose();
            throw;
        }
        response.Dispose();
        return (await TryAsync(request, address, text, cancellationToken).ConfigureAwait(false)).Response;
    }

    // Blocks its own caller alone, and holds no lock.
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) => Blocking.Wait(SendAsync(request, cancellationToken));

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _wire.Dispose();
        base.Dispose(disposing);
    }

    private async Task<(HttpResponseMessage Response, bool IsRefusal)> TryAsync(HttpRequestMessage request, Uri address, string key, CancellationToken cancellationToken)
    {
#pragma warning disable CA2000   // It has nothing of its own to dispose: its content is the request's.
        HttpRequestMessage copy = Copy(request);
#pragma warning restore CA2000
        _header.ApplyTo(copy.Headers, key);
        try
        {
            HttpResponseMessage response = await _wire.SendAsync(copy, cancellationToken).ConfigureAwait(false);
            // What is answered elsewhere says nothing about the key.
            bool isAnswer = response.RequestMessage is not { } answered || answered.RequestUri == address;
            response.RequestMessage = request;
            return (response, isAnswer && await CredentialRefusal.IsInAsync(response, cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            copy.Headers.Remove(_header.Name);
        }
    }

    private static HttpRequestMessage Copy(HttpRequestMessage request)
    {
        var copy = new HttpRequestMessage(request.Method, request.RequestUri) { Version = request.Version, VersionPolicy = request.VersionPolicy, Content = request.Content };
        foreach ((string name, HeaderStringValues values) in request.Headers.NonValidated)
            copy.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values);
        foreach (KeyValuePair<string, object?> option in request.Options)
            ((IDictionary<string, object?>)copy.Options)[option.Key] = option.Value;
        return copy;
    }

    // As with every credential, a client that serves several jobs says by the request whose it is.
    private (CredentialProvider<StaticKey> Provider, TimeProvider Time) ProviderFor(HttpRequestMessage request, Uri address)
    {
        if (!request.Options.TryGetValue(CredentialHandler.Job, out JobSession? job) || job is null || job == _session)
            return (_provider, _session.Plan.Time);
        TargetRuntime target = job.Runtime(_provider.Target);
        return target.Plan.AllowedOrigins.Any(allowed => Origin.Of(allowed) == Origin.Of(address))
            ? (job.Provider<StaticKey>(_provider.Target), job.Plan.Time)
            : throw Refused($"The key of the request's job does not go to {ExceptionText.Clean(Origin.Of(address).ToString())}.", "Let both jobs allow this origin for the target.");
    }

    private Uri CheckedAddress(HttpRequestMessage request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.RequestUri is not { IsAbsoluteUri: true } address)
            throw Refused("The request has no absolute address.", "Give it one, or set the BaseAddress of the client.");
        if (Array.IndexOf(_origins, Origin.Of(address)) < 0)
            throw Refused($"The key does not go to {ExceptionText.Clean(Origin.Of(address).ToString())}; its origins are: {string.Join(", ", _origins)}.", "Send this request by another client, or add the origin to the target's AllowedOrigins.");
        if (_header.IsIn(request.Headers))
            throw Refused($"The request has a header {_header.Name} already.", "Leave it out, on the request and on the client: this handler sets it.", ErrorCodes.AuthorizationAlreadySet);
        return address;
    }

    // Header.Authorization is dropped by a redirect, others are not.
    private void RefuseRedirects()
    {
        if (FollowsRedirects(_inner) is not { } follows)
            throw Refused("Of the handler that would send its key nobody can tell whether it follows redirects, which may lead elsewhere.", "Let the client's primary handler be a SocketsHttpHandler or an HttpClientHandler whose AllowAutoRedirect is false.");
        if (follows)
            throw Refused("The handler that would send its key follows redirects, which may lead elsewhere.", "Set AllowAutoRedirect of the client's primary handler to false.");
    }

    private static bool? FollowsRedirects(HttpMessageHandler? handler) => handler switch
    {
        SocketsHttpHandler sockets => sockets.AllowAutoRedirect,
        HttpClientHandler client => client.AllowAutoRedirect,
        DelegatingHandler outer => FollowsRedirects(outer.InnerHandler),
        _ => null,
    };

    private TokenExchangeException Refused(string detail, string hint, string code = ErrorCodes.OriginRefused) =>
        new(code, ExchangeStage.Configure, detail) { Target = _provider.Target, Hint = hint };
}
