using System.Net.Http.Headers;
using BenchmarkDotNet.Attributes;

namespace Nhi.TokenExchange;

/// <summary>The header value is made once per credential, not once per request.</summary>
public class HeaderWrites
{
    private readonly BearerToken _token = new("0123456789", DateTimeOffset.UtcNow.AddHours(1));
    private readonly HttpRequestMessage _request = new();

    [Benchmark(Description = "a header written from what the credential keeps")]
    public void ApplyToHeader() => _token.ApplyTo(_request.Headers);

    [Benchmark(Baseline = true, Description = "a header made anew")]
    public void HeaderMadeAnew() => _request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token.Reveal());
}
