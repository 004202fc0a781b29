using Nhi.TokenExchange;
using Npgsql;

namespace PostgreSqlReadMe;

/// <summary>The code of docs/postgresql.md, compiled.</summary>
internal static class After
{
    public static async Task ByPeerAsync()
    {
        #region package
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.OidcFile("/var/run/secrets/job/token"))
            .Target("orders", Targets.PostgresRole("Host=/var/run/postgresql;Database=orders;Username=nhi_admin", o => o.ActAs = "orders_writer"),
                identity: "job", "orders_reader", "orders_writer"));   // the roles that the login is granted
        await using CredentialDataSource orders = job.Provider<DatabaseLogin>("orders").CreateDataSource("Host=/var/run/postgresql;Database=orders");
        await using NpgsqlConnection connection = await orders.OpenConnectionAsync();
        #endregion
    }

    public static async Task ThroughEntraAsync(string tenantId, string clientId)
    {
        #region through
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.AzureWorkloadIdentity())
            .Target("database-token", Targets.Entra(tenantId, clientId), identity: "job", "https://ossrdbms-aad.database.windows.net/.default")
            .Target("orders", Targets.PostgresRole("Host=orders.postgres.database.azure.com;Database=orders;Username=nhi-admin;SSL Mode=VerifyFull"), target =>
            {
                target.Through = "database-token";   // its access token is the admin's password
                target.Scopes = ScopeSet.Of("orders_reader");
            }));
        #endregion
    }

    public static async Task TokenAsPasswordAsync(JobSession job)
    {
        #region token
        await using CredentialDataSource orders = job.Provider<BearerToken>("database-token").CreateDataSource("Host=orders.postgres.database.azure.com;Database=orders;Username=orders-job;SSL Mode=VerifyFull");
        #endregion
    }
}
