using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.Extensions.Caching.Memory;

namespace Nhi.TokenExchange;

/// <summary>Finds and remembers where an issuer is asked (RFC 8414, then OpenID Connect Discovery).</summary>
/// <remarks>
/// An endpoint is believed only if the document names the configured issuer byte for byte, and only on the issuer's own host:
/// one issuer's document can't send the proof to another. Whoever asks while a document is fetched waits for the same fetch.
/// </remarks>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "The memory cache holds nothing but memory: no handle, no timer.")]
internal sealed class DiscoveryDocuments
{
    // Endpoints move seldom, and a moved one answers 404 or a redirect, which says so.
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = 16 });
    private readonly ConcurrentDictionary<string, Lazy<Task<IssuerEndpoints>>> _underway = new(StringComparer.Ordinal);

    /// <summary>Gives the endpoints of an issuer.</summary>
    /// <exception cref="TokenExchangeException">There is no document, or it can't be believed.</exception>
    public async ValueTask<IssuerEndpoints> GetAsync(Uri issuer, HttpMessageInvoker backchannel, TimeProvider time, CancellationToken cancellationToken)
    {
        string key = issuer.OriginalString;
        if (_cache.TryGetValue(key, out Found? found) && time.GetElapsedTime(found!.At) < Lifetime)
            return found.Endpoints;
        // The fetch belongs to nobody: a caller that gives up leaves it to the others; the back channel bounds it.
        Lazy<Task<IssuerEndpoints>> fetch = _underway.GetOrAdd(key, _ => new Lazy<Task<IssuerEndpoints>>(() => WatchedTries.BeginUnwatched(() => FetchAndKeepAsync(issuer, backchannel, time))));
        return await new ValueTask<IssuerEndpoints>(fetch.Value).OrLeftBehindAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<IssuerEndpoints> FetchAndKeepAsync(Uri issuer, HttpMessageInvoker backchannel, TimeProvider time)
    {
        try
        {
            IssuerEndpoints endpoints = await FetchAsync(issuer, backchannel).ConfigureAwait(false);
            using ICacheEntry entry = _cache.CreateEntry(issuer.OriginalString);
            entry.Size = 1;
            entry.Value = new Found(endpoints, time.GetTimestamp());
            return endpoints;
        }
        finally
        {
            _underway.TryRemove(issuer.OriginalString, out _);   // a failure is not remembered here
        }
    }

    private static async Task<IssuerEndpoints> FetchAsync(Uri issuer, HttpMessageInvoker backchannel)
    {
        string authority = issuer.GetLeftPart(UriPartial.Authority);
        string path = issuer.AbsolutePath.TrimEnd('/');
        Uri[] places =
        [
            new($"{authority}/.well-known/oauth-authorization-server{path}"),   // RFC 8414 §3.1: inserted
            new($"{authority}{path}/.well-known/openid-configuration"),          // OpenID Connect Discovery §4.1: appended
        ];
        var said = new List<string>(places.Length);
        bool transient = false;
        foreach (Uri place in places)
        {
            using HttpResponseMessage? response = await GetAsync(place, backchannel).ConfigureAwait(false);
            if (response is null)
            {
                said.Add($"{place.AbsolutePath}: a redirect, not followed");
                continue;
            }
            if (response.StatusCode == HttpStatusCode.OK && OAuthIssuer.IsJson(response.Content))
                return Read(((BoundedContent)response.Content).Bytes, issuer, place);
            transient |= (int)response.StatusCode >= 500;
            said.Add($"{place.AbsolutePath}: {(int)response.StatusCode}{(response.StatusCode == HttpStatusCode.OK ? ", not JSON" : "")}");
        }
        throw Failed(issuer, $"has no metadata document ({string.Join("; ", said)})", "Check the issuer's URI, or set TokenEndpoint and, if it revokes, RevocationEndpoint.", transient);
    }

    // Null for a redirect: a site before the issuer may send unknown paths to its own pages, and the document be in the other place.
    private static async Task<HttpResponseMessage?> GetAsync(Uri place, HttpMessageInvoker backchannel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, place);
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        HttpResponseMessage response;
        try
        {
            response = await backchannel.SendAsync(request, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TokenExchangeException redirect) when (redirect.Code == ErrorCodes.RedirectRefused)
        {
            return null;
        }
        response.Content = await BoundedContent.ReadAsync(response.Content, CancellationToken.None).ConfigureAwait(false);
        return response;
    }

    private static IssuerEndpoints Read(ReadOnlySpan<byte> json, Uri issuer, Uri place)
    {
        string? named = null, token = null, revocation = null;
        var members = new JsonMembers(json);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                case "issuer": named = members.Text(); break;
                case "token_endpoint": token = members.Text(); break;
                case "revocation_endpoint": revocation = members.Text(); break;
                default: break;
            }
        }
        if (members.Fault is { } fault)
            throw Failed(issuer, $"has a metadata document at {place.AbsolutePath} that {fault}", "Check the issuer's URI, or set TokenEndpoint and, if it revokes, RevocationEndpoint.", isTransient: true);
        // RFC 8414 §3.3: identical, or it is somebody else's document.
        if (!string.Equals(named, issuer.OriginalString, StringComparison.Ordinal))
            throw Failed(issuer, $"has a metadata document whose 'issuer' is '{OuterText.Shown(named)}'", $"Configure the issuer exactly as it names itself; '{OuterText.Shown(issuer.OriginalString)}' was configured.");
        return new IssuerEndpoints(
            Endpoint("token_endpoint", token, issuer) ?? throw Failed(issuer, "has a metadata document without 'token_endpoint'", "Set TokenEndpoint and, if it revokes, RevocationEndpoint."),
            Endpoint("revocation_endpoint", revocation, issuer));
    }

    private static Uri? Endpoint(string member, string? value, Uri issuer)
    {
        if (string.IsNullOrEmpty(value))
            return null;
        string option = member == "token_endpoint" ? nameof(Rfc8693Options.TokenEndpoint) : $"{nameof(Rfc8693Options.TokenEndpoint)} and {nameof(Rfc8693Options.RevocationEndpoint)}";
        _ = Uri.TryCreate(value, UriKind.Absolute, out Uri? endpoint);
        if (EndpointRules.FaultOf(endpoint) is { } fault)
            throw Failed(issuer, $"has a metadata document whose '{member}' {fault}", $"Set {option} to the https URI.");
        if (!string.Equals(endpoint!.IdnHost, issuer.IdnHost, StringComparison.OrdinalIgnoreCase) || (issuer.Scheme == Uri.UriSchemeHttps && endpoint.Scheme != Uri.UriSchemeHttps))
            throw Failed(issuer, $"has a metadata document whose '{member}' is on another host, {OuterText.Shown(endpoint.IdnHost)}", $"If that is right, set {option}{(member == "token_endpoint" ? " and, if it revokes, RevocationEndpoint" : "")}.");
        return endpoint;
    }

    private static TokenExchangeException Failed(Uri issuer, string what, string hint, bool isTransient = false) =>
        new(ErrorCodes.DiscoveryFailed, ExchangeStage.Exchange, $"The issuer on host {issuer.IdnHost} {what}.") { Hint = hint, IsTransient = isTransient };

    private sealed record Found(IssuerEndpoints Endpoints, long At);
}
