using Nhi.TokenExchange;

namespace Comparison;

/// <summary>The same with this library.</summary>
internal static class WithTokenExchange
{
    public static async Task<string> WarehousesAsync(Uri workspace, CancellationToken cancellationToken)
    {
        #region ours
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("pod", IdentitySources.AzureWorkloadIdentity())   // the same three variables
            .Target("workspace", Targets.EntraWorkloadIdentity(), target =>
            {
                target.Identity = "pod";
                target.Scopes = ScopeSet.Of("2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default");
                target.AllowedOrigins.Add(workspace);
            }), cancellationToken);
        using var http = new HttpClient(job.CreateHandler("workspace")) { BaseAddress = workspace };
        string warehouses = await http.GetStringAsync("api/2.0/sql/warehouses", cancellationToken);
        #endregion
        return warehouses;
    }
}
