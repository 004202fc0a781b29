using System.Collections.Concurrent;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>A wire in memory below a whole job's back channel: each request is answered by the bytes in their turn, but for those that are answered for the issuer.</summary>
/// <param name="answers">The answers, as <see cref="FuzzedAnswer.Split"/> has them; the last to all that follow.</param>
/// <param name="proof">What stands in the place of its mark.</param>
/// <param name="own">Answers a request by its path; null leaves it to the bytes.</param>
internal sealed class FuzzedWire(string answers, string proof, Func<string, HttpResponseMessage?>? own = null) : HttpMessageHandler
{
    // Twice five tries of a call, for each of two proofs.
    private const int MostOfAPath = 20;

    private readonly string[] _answers = FuzzedAnswer.Split(answers);
    private readonly ConcurrentQueue<(Uri Place, string Token, string Body)> _requests = new();
    private int _given;

    /// <summary>Where each request went, with the token in its headers and its body.</summary>
    public IReadOnlyCollection<(Uri Place, string Token, string Body)> Requests => _requests;

    /// <summary>The body that the bytes gave last.</summary>
    public byte[] LastBody => FuzzedAnswer.BodyOf(_answers[Math.Min(Math.Max(_given, 1), _answers.Length) - 1], proof);

    /// <summary>Secrets went to these hosts alone, over TLS, and no place was asked without end.</summary>
    /// <param name="flights">How many exchanges of a target there may have been.</param>
    /// <param name="hosts">With their ports, where those are not the usual.</param>
    public void AssertBounded(int flights, params string[] hosts)
    {
        Assert.That(Requests.Select(request => request.Place), Has.All.Matches<Uri>(place => place.Scheme == "https" && hosts.Contains(place.Authority)));
        Assert.That(Requests.CountBy(request => request.Place), Has.All.Matches<KeyValuePair<Uri, int>>(place => place.Value <= MostOfAPath * flights));
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        _requests.Enqueue((request.RequestUri!, request.Headers.TryGetValues("X-Vault-Token", out IEnumerable<string>? tokens) ? tokens.Single() : request.Headers.Authorization?.Parameter ?? "", body));
        return own?.Invoke(request.RequestUri!.AbsolutePath) ?? FuzzedAnswer.Of(_answers[Math.Min(Interlocked.Increment(ref _given), _answers.Length) - 1], proof);
    }
}
