using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Nhi.TokenExchange.Tests.Adapters;

/// <summary>A job with one target, <c>lake</c>, on an issuer in memory, and time in the test's hand.</summary>
internal sealed class LakeJob : IAsyncDisposable
{
    public const string Scope = "https://storage.azure.com/.default";
    public const string Origin = "https://lake.blob.example";

    private LakeJob(ManualTimeProvider time, LakeIssuer issuer, JobSession session)
    {
        Time = time;
        Issuer = issuer;
        Session = session;
        Lake = session.Provider<BearerToken>("lake");
    }

    public ManualTimeProvider Time { get; }

    public LakeIssuer Issuer { get; }

    public JobSession Session { get; }

    public CredentialProvider<BearerToken> Lake { get; }

    /// <summary>Starts it.</summary>
    /// <param name="target">Changes the target: scope and origin are set.</param>
    /// <param name="start">Where the clock stands; 1 January 2026 if null.</param>
    public static async Task<LakeJob> StartAsync(Action<TargetOptions>? target = null, DateTimeOffset? start = null)
    {
        ManualTimeProvider time = start is { } instant ? new(instant) : new();
        var issuer = new LakeIssuer(time);
        JobSession session = await JobSession.StartAsync(builder => builder
            .Identity("job", IdentitySources.From((request, _) => new ValueTask<SubjectToken>(Proof(request))), ActsFor.Workload)
            .Target("lake", issuer, options =>
            {
                options.Identity = "job";
                options.Scopes = ScopeSet.Of(Scope);
                options.AllowedOrigins.Add(new Uri(Origin));
                target?.Invoke(options);
            })
            .Time(time).Jitter(() => 0).EndOnSignals(false));
        return new LakeJob(time, issuer, session);
    }

    public async ValueTask DisposeAsync()
    {
        Issuer.Open();
        await Session.DisposeAsync();
    }

    private static SubjectToken Proof(SubjectTokenRequest request)
    {
        DateTimeOffset now = request.Time.GetUtcNow();
        var claims = new Dictionary<string, object>
        {
            ["iss"] = "https://platform.example", ["sub"] = "job:orders", ["aud"] = request.Audience.ToString(), ["iat"] = now.ToUnixTimeSeconds(), ["exp"] = now.AddDays(1).ToUnixTimeSeconds(),
        };
        string jwt = $"{Part(new Dictionary<string, object> { ["alg"] = "RS256", ["typ"] = "JWT" })}.{Part(claims)}.{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(64))}";
        return new SubjectToken(jwt, SubjectTokenType.Jwt);
    }

    private static string Part(Dictionary<string, object> members) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(members));
}
