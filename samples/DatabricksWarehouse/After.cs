using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Nhi.TokenExchange;

namespace DatabricksWarehouse;

/// <summary>The same without a secret. Compiled for the pages; the sample itself is in Program.cs.</summary>
internal static class After
{
    public static void Add(IServiceCollection services, IConfiguration configuration)
    {
        #region after
        services.AddTokenExchange(configuration.GetSection("TokenExchange"));
        services.AddHttpClient<WorkspaceClient>(client => client.BaseAddress = new Uri("https://workspace.example")).AddCredential("warehouse");
        #endregion
    }

    public static async Task BoundAsync(Uri workspace, string clientId)
    {
        #region bound
        await using JobSession job = await JobSession.StartAsync(b => b
            .Job(new JobContext { Dataset = "orders", Purpose = "load" })   // pipeline, run and environment: the proof's are taken
            .Identity("job", IdentitySources.GitHubActions())
            .Target("warehouse", Targets.Databricks(workspace, clientId), target =>
            {
                target.Identity = "job";
                target.Scopes = ScopeSet.Of("sql");
                target.AttestedFacts = JobFacts.Pipeline | JobFacts.Run | JobFacts.Environment;   // else NHI2011, and nothing is sent
            }));
        #endregion
    }

    public static async Task NarrowedAsync(Uri workspace, string clientId)
    {
        #region narrowed
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.GitHubActions())
            .Target("workspace", Targets.Databricks(workspace, clientId), identity: "job", "all-apis")
            .Target("orders", Targets.Databricks(workspace, configure: options =>
            {
                options.Dialect = DatabricksDialect.JwtBearer;
                options.AuthorizationDetails = """[{"type":"unity_catalog_privileges","privileges":["SELECT"],"object_type":"TABLE","object_full_path":"main.shop.orders"}]""";
            }), target => target.Through = "workspace"));
        #endregion
    }
}
