using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>Builds proofs as platforms make them. The signature is noise of the right length: nobody on our side verifies it.</summary>
internal static class Proofs
{
    public const string Audience = "https://sts.example";
    public const string Rs256 = """{"alg":"RS256","typ":"JWT","kid":"k1"}""";

    public static DateTimeOffset Now { get; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static JsonObject GitHubClaims => new()
    {
        ["iss"] = "https://token.actions.githubusercontent.com", ["sub"] = "repo:acme@101/orders@202:ref:refs/heads/main", ["aud"] = Audience,
        ["iat"] = Now.ToUnixTimeSeconds(), ["nbf"] = Now.ToUnixTimeSeconds() - 600, ["exp"] = Now.ToUnixTimeSeconds() + 300,
        ["repository"] = "acme/orders", ["run_id"] = "77", ["actor"] = "mona",
    };

    /// <summary>GitHub's proof with some claims set otherwise; null takes one away.</summary>
    public static string With(params (string Name, JsonNode? Value)[] changes) => Compact(Change(GitHubClaims, changes).ToJsonString());

    /// <summary>A proof of an issuer and a subject, with more claims.</summary>
    public static string Of(string issuer, string subject, params (string Name, JsonNode? Value)[] more) =>
        Compact(Change(Change(GitHubClaims, [("repository", null), ("run_id", null), ("actor", null), ("iss", issuer), ("sub", subject)]), more).ToJsonString());

    public static string Compact(string payload, string header = Rs256, int signatureBytes = 256)
    {
        byte[] signature = new byte[signatureBytes];
        new Random(7).NextBytes(signature);
        return $"{Part(header)}.{Part(payload)}.{Base64Url.EncodeToString(signature)}";
    }

    public static string Part(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));

    public static SubjectToken Token(string compact) => new(compact, SubjectTokenType.Jwt);

    public static SubjectTokenRequest Request(TimeProvider time, HttpMessageInvoker? backchannel = null, bool mustBeNew = false, string? refused = null) => new()
    {
        Audience = new Audience(Audience), Time = time, Backchannel = backchannel ?? new HttpMessageInvoker(new HttpClientHandler()), MustBeNew = mustBeNew, RefusedFingerprint = refused,
    };

    /// <summary>Lets a task that waits on a manual clock run to its end, by steps of 50 ms, at most a minute.</summary>
    public static async Task<T> RunAsync<T>(this ManualTimeProvider time, ValueTask<T> running)
    {
        Task<T> task = running.AsTask();
        int step = 0;
        await Eventually.HoldsAsync(
            () =>
            {
                if (time.PendingTimers > 0 && step < 1200)
                {
                    time.Advance(TimeSpan.FromMilliseconds(50));
                    step++;
                }
                return task.IsCompleted;
            },
            "the end of a task, with at most a minute of the manual clock");
        return await task;
    }

    private static JsonObject Change(JsonObject claims, (string Name, JsonNode? Value)[] changes)
    {
        foreach ((string name, JsonNode? value) in changes)
        {
            if (value is null)
                claims.Remove(name);
            else
                claims[name] = value.DeepClone();
        }
        return claims;
    }
}
