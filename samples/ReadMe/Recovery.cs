using Nhi.TokenExchange;

namespace ReadMe;

/// <summary>What an operator runs after jobs were killed.</summary>
internal static class Recovery
{
    public static async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        #region recover
        RecoveryReport report = await JobSession.RecoverAsync(b => Compose(b).Journal("/var/lib/orders/journal"), cancellationToken: cancellationToken);
        Console.WriteLine(report);
        return report.AllEnded ? 0 : 69;
        #endregion
    }

    private static TokenExchangeBuilder Compose(TokenExchangeBuilder builder) => builder
        .Identity("job", IdentitySources.OidcFile("/var/run/secrets/job/token"))
        .Target("warehouse", Targets.Databricks(new Uri("https://workspace.example"), clientId: "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10"), identity: "job", "sql");
}
