using Nhi.TokenExchange;

namespace ReadMe;

/// <summary>A database login that Vault makes for the job, and takes back at its end.</summary>
internal static class Vault
{
    public static async Task<string> ConnectionAsync(Uri vault)
    {
        #region vault
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.GitHubActions())
            .Target("vault", Targets.VaultLogin(vault, role: "orders-nightly"), identity: "job")
            .Target("database", Targets.VaultSecret(vault, "database/creds/readonly"), target => target.Through = "vault"));

        VaultSecret login = await job.Provider<VaultSecret>("database").GetAsync();
        string connection = $"Host=db.example;Username={login.Reveal("username")};Password={login.Reveal("password")}";   // for each new connection: ask again
        #endregion
        return connection;
    }
}
