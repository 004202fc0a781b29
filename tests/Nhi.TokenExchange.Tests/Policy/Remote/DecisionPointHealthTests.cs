using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nhi.TokenExchange.Tests.DependencyInjection;

namespace Nhi.TokenExchange.Tests.Policy.Remote;

/// <summary>A decision point that is not asked for a while is told beside the targets.</summary>
internal sealed class DecisionPointHealthTests
{
    [Test]
    public async Task An_open_circuit_is_degraded_and_a_closed_one_is_healthy([Values] Language language)
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
        var composed = new Services();
        IAccessPolicy policy = language.Policy(emulator.DecisionPoint);
        await using ServiceProvider container = new ServiceCollection().AddLogging()
            .AddTokenExchange(b =>
            {
                composed.Compose(b);
                b.Policy(policy);
            })
            .AddHealthChecks().AddTokenExchange().Services.BuildServiceProvider();
        Assert.That((await LookAsync()).Status, Is.EqualTo(HealthStatus.Healthy));

        emulator.Faults.Always(language.Endpoint(), Fault.Garbage());
        for (int failure = 0; failure < DecisionCircuit.LeastFailures; failure++)
            policy.Failure(Questions.Of(composed.Time));

        HealthReportEntry entry = await LookAsync();
        Assert.That((entry.Status, entry.Data["circuit"]), Is.EqualTo((HealthStatus.Degraded, "open")));
        Assert.That(entry.Description, Does.Contain("nothing new is granted"));

        async Task<HealthReportEntry> LookAsync() => (await container.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["token-exchange-policy"];
    }
}
