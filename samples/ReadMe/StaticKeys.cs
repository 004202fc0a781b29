using System.Data.Common;
using Nhi.TokenExchange;

namespace ReadMe;

/// <summary>Services that can't do without a static key yet: it stays in its vault, and goes to them alone.</summary>
internal static class StaticKeys
{
    public static async Task<string> InvoicesAsync(Uri vault, DateTimeOffset until)
    {
        #region static-key
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.GitHubActions())
            .Target("vault", Targets.VaultLogin(vault, role: "orders-nightly"), identity: "job")
            .Target("billing", Targets.VaultStaticKey(vault, "legacy/billing", owner: "Billing team", until, options => options.Header.Name = "X-Api-Key"), target =>
            {
                target.Through = "vault";
                target.AllowedOrigins.Add(new Uri("https://billing.example"));
            })
            .PolicyFile("nhi.policy.json"));   // a permit that says "static": true, or nothing is read

        using var http = new HttpClient(job.CreateStaticKeyHandler("billing"));
        string invoices = await http.GetStringAsync(new Uri("https://billing.example/invoices"));
        #endregion
        return invoices;
    }

    public static async Task<object?> CountAsync(TokenExchangeBuilder builder, JobSession job, DbProviderFactory mainframe, CancellationToken cancellationToken)
    {
        #region opener
        // When the job is composed:
        builder.Opener<DbConnection>("mainframe", async (key, cancellationToken) =>
        {
            DbConnection connection = mainframe.CreateConnection()!;
            connection.ConnectionString = new DbConnectionStringBuilder { ["Host"] = "db.example", ["Username"] = "loader", ["Password"] = key }.ConnectionString;
            await connection.OpenAsync(cancellationToken);
            return connection;
        }, isRefusal: failure => failure is DbException { SqlState: "28P01" });

        // In the job:
        await using DbConnection orders = await job.OpenAsync<DbConnection>("mainframe", cancellationToken);
        #endregion
        await using DbCommand count = orders.CreateCommand();
        count.CommandText = "select count(*) from orders";
        return await count.ExecuteScalarAsync(cancellationToken);
    }
}
