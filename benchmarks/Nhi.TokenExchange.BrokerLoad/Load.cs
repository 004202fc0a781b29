using System.Diagnostics;

namespace BrokerLoad;

/// <summary>Clients that ask as fast as they are answered.</summary>
internal static class Load
{
    /// <param name="Requests">How many were answered.</param>
    /// <param name="Errors">How many were answered by another status than 200, or not at all.</param>
    /// <param name="PerSecond">Of those answered.</param>
    /// <param name="P50">In milliseconds.</param>
    /// <param name="P99">In milliseconds.</param>
    internal sealed record Result(int Requests, int Errors, double PerSecond, double P50, double P99)
    {
        public override string ToString() => FormattableString.Invariant($"{Requests} | {Errors} | {PerSecond:0} | {P50:0.0} | {P99:0.0}");
    }

    /// <summary>The request of an exchange.</summary>
    public static HttpRequestMessage Post(Uri address, string token) => new(HttpMethod.Post, address)
    {
        Content = new FormUrlEncodedContent(
        [
            new("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), new("subject_token", token),
            new("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"), new("resource", "https://warehouse.example"),
        ]),
    };

    /// <summary>How many bytes one request is answered with.</summary>
    /// <exception cref="HttpRequestException">The answer is another than 200.</exception>
    public static async Task<int> AnswerLengthAsync(HttpRequestMessage request)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false });
        using HttpResponseMessage response = await http.SendAsync(request);
        return (await response.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync()).Length;
    }

    public static async Task<Result> RunAsync(int clients, TimeSpan time, Func<int, HttpRequestMessage> request)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false });
        var took = new List<double>[clients];
        int errors = 0;
        long began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async i =>
        {
            took[i] = [];
            while (Stopwatch.GetElapsedTime(began) < time)
            {
                long sent = Stopwatch.GetTimestamp();
                try
                {
                    using HttpResponseMessage response = await http.SendAsync(request(i));
                    await response.Content.ReadAsByteArrayAsync();
                    if ((int)response.StatusCode != 200)
                        Interlocked.Increment(ref errors);
                }
                catch (HttpRequestException)
                {
                    Interlocked.Increment(ref errors);
                }
                took[i].Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            }
        }));
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        double[] all = [.. took.SelectMany(own => own).Order()];
        return new Result(all.Length, errors, all.Length / seconds, all[all.Length / 2], all[(int)(all.Length * 0.99)]);
    }
}
