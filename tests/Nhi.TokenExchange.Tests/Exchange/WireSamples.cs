using System.Buffers.Text;
using System.Text;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>Tokens made at run time that must be seen by nobody but their target, and the requests they go with.</summary>
internal static class WireSamples
{
    /// <summary>Stands in every proof.</summary>
    public const string ProofCanary = "proofcanary";

    /// <summary>Stands in every issued token.</summary>
    public const string TokenCanary = "tokencanary";

    public static string Proof { get; } = Jwt($$"""{"sub":"job","canary":"{{ProofCanary}}"}""");

    /// <summary>A proof that passes the check of a whole job: alive, and for this audience.</summary>
    public static string ProofFor(string audience) =>
        Jwt($$"""{"iss":"https://issuer.test","sub":"job","aud":"{{audience}}","exp":{{TimeProvider.System.GetUtcNow().AddMinutes(10).ToUnixTimeSeconds()}},"canary":"{{ProofCanary}}"}""");

    public static string Token { get; } = $"opaque-{TokenCanary}-0123456789";

    public static string Jwt(string payload) =>
        $"{Part("""{"alg":"RS256"}""")}.{Part(payload)}.{Part(ProofCanary)}";

    public static string Answer(string more = "", string? token = null) =>
        $$"""{"access_token":"{{token ?? Token}}","token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","expires_in":3600{{(more.Length == 0 ? "" : "," + more)}}}""";

    public static ExchangeRequest Request(HttpMessageInvoker backchannel, TimeProvider? time = null, SubjectToken? actor = null, params string[] scopes) =>
        RequestWith(Proof, backchannel, time, actor, scopes);

    public static ExchangeRequest RequestWith(string proof, HttpMessageInvoker backchannel, TimeProvider? time = null, SubjectToken? actor = null, params string[] scopes) => new()
    {
        Target = "warehouse",
        Subject = new SubjectToken(proof, SubjectTokenType.IdToken),
        Actor = actor,
        Scopes = ScopeSet.Of(scopes),
        MaxLifetime = TimeSpan.FromHours(1),
        Job = new JobContext(),
        Backchannel = backchannel,
        Time = time ?? TimeProvider.System,
    };

    public static RevocationRequest<BearerToken> Revocation(HttpMessageInvoker backchannel, TimeProvider time, TimeSpan? life = null) => new()
    {
        Target = "warehouse", Credential = new BearerToken(Token, time.GetUtcNow() + (life ?? TimeSpan.FromHours(1))), Backchannel = backchannel, Time = time,
    };

    public static HttpMessageInvoker Backchannel(TimeProvider? time = null, double jitter = 0.5, Func<HttpMessageHandler>? transport = null) =>
        IssuerBackchannel.Create(time ?? new SkippingTime(), () => jitter, transport);

    /// <summary>Fails if a proof, a token or a part of one is anywhere in the exception.</summary>
    public static void AssertNoCanary(Exception exception)
    {
        string said = exception + string.Join(' ', exception.Data.Keys.Cast<object>()) + string.Join(' ', exception.Data.Values.Cast<object>());
        foreach (string secret in new[] { ProofCanary, TokenCanary, Part(ProofCanary), Proof[..30], Proof[^20..] })
            Assert.That(said, Does.Not.Contain(secret));
    }

    private static string Part(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
