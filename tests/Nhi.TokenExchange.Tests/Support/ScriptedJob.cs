using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests;

/// <summary>Jobs at an issuer that speaks HTTP by hand. For what goes wrong on a connection byte by byte, which no server of a framework would send.</summary>
internal static class ScriptedJob
{
    /// <summary>Starts a job with one target, <c>warehouse</c>, at the issuer. Waits before a further try are the shortest there are.</summary>
    /// <param name="issuer">Where its token endpoint (<c>/token</c>) and its revocation endpoint (<c>/revoke</c>) are.</param>
    /// <param name="time">The job's clock; the system's if null.</param>
    /// <param name="more">Changes the job.</param>
    public static Task<JobSession> StartAsync(Uri issuer, TimeProvider? time = null, Action<TokenExchangeBuilder>? more = null) => JobSession.StartAsync(b =>
    {
        b.Identity("job", TestProofs.Source(time ?? TimeProvider.System), ActsFor.Workload)
            .Target("warehouse", Targets.Rfc8693(issuer, o => (o.TokenEndpoint, o.RevocationEndpoint) = (new Uri(issuer, "/token"), new Uri(issuer, "/revoke"))), "job", "read")
            .Time(time ?? TimeProvider.System).Jitter(() => 0).EndOnSignals(false);
        more?.Invoke(b);
    });

    /// <summary>Starts one and asks it for its credential, which fails.</summary>
    public static async Task<TokenExchangeException> FailureAsync(ScriptedIssuer issuer, TimeProvider? time = null)
    {
        await using JobSession job = await StartAsync(issuer.Uri, time);
        return Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;
    }
}
