using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Nhi.TokenExchange;

namespace ReadMe;

/// <summary>The session in a container.</summary>
internal static class Hosting
{
    public static void Add(IServiceCollection services, IConfiguration configuration)
    {
        #region services
        services.AddTokenExchange(configuration.GetSection("TokenExchange"));
        services.AddHttpClient<Warehouse>().AddCredential("warehouse");   // a name that is not there fails when the host starts
        services.AddHealthChecks().AddTokenExchange();                    // one check for each target; none of them asks the issuer
        #endregion
    }

    public static async Task OneOfManyAsync(JobSessionFactory jobs, HttpClient http, Uri rows, string run, CancellationToken cancellationToken)
    {
        #region many
        await using JobSession job = await jobs.StartAsync(new JobContext { Run = run }, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, rows);
        request.Options.Set(CredentialHandler.Job, job);                  // else the host's own job is meant
        using HttpResponseMessage response = await http.SendAsync(request, cancellationToken);
        #endregion
    }
}

/// <summary>A client of the warehouse.</summary>
internal sealed class Warehouse(HttpClient http)
{
    public Task<string> RowsAsync(CancellationToken cancellationToken) => http.GetStringAsync(new Uri("https://workspace.example/api/2.0/sql/warehouses"), cancellationToken);
}

#region inject
internal sealed class Report([FromKeyedServices("warehouse")] CredentialProvider<BearerToken> warehouse)
{
    public async Task<BearerToken> CredentialAsync(CancellationToken cancellationToken) => await warehouse.GetAsync(cancellationToken);
}
#endregion
