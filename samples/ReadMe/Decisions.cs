using Nhi.TokenExchange;

namespace ReadMe;

/// <summary>A job whose every credential, and every refresh of one, is decided by somebody else.</summary>
internal static class Decisions
{
    public static async Task<BearerToken> AskedAsync(Uri workspace, string clientId)
    {
        #region decision-point
        await using JobSession job = await JobSession.StartAsync(b => b
            .Job(new JobContext { Dataset = "orders", Purpose = "load" })
            .Identity("job", IdentitySources.GitHubActions())
            .Target("warehouse", Targets.Databricks(workspace, clientId), identity: "job", "sql")
            .Policy(AccessPolicies.Opa(new Uri("http://127.0.0.1:8181"), "tokens/decision")));   // or AccessPolicies.AuthZen(new Uri("https://pdp.example"))

        BearerToken token = await job.Provider<BearerToken>("warehouse").GetAsync();
        #endregion
        return token;
    }
}
