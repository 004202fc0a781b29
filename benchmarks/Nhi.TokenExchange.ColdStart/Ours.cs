using Microsoft.Extensions.DependencyInjection;

namespace Nhi.TokenExchange;

/// <summary>Ours: all stages, and the end of the job.</summary>
internal static class Ours
{
    public static async Task<string> AskAsync()
    {
        await using JobSession job = await JobSession.StartAsync(Compose);
        BearerToken token = await job.Provider<BearerToken>("warehouse").GetAsync();
        return token.Reveal();
    }

    public static async Task<string> AskThroughContainerAsync()
    {
        var services = new ServiceCollection();
        services.AddTokenExchange(Compose);
        await using ServiceProvider provider = services.BuildServiceProvider();
        BearerToken token = await provider.GetRequiredKeyedService<CredentialProvider<BearerToken>>("warehouse").GetAsync();
        return token.Reveal();
    }

    private static void Compose(TokenExchangeBuilder builder) => builder
        .Identity("job", IdentitySources.OidcEnvironmentVariable(Place.ProofVariable), ActsFor.Workload)
        .Target("warehouse", Targets.Rfc8693(Place.Issuer, options => options.TokenEndpoint = Place.TokenEndpoint), identity: "job", "read");
}
