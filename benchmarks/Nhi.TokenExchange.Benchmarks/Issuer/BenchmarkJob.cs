namespace Nhi.TokenExchange;

/// <summary>Starts real jobs: the whole pipeline stands behind each provider, only the issuer lives in memory.</summary>
public static class BenchmarkJob
{
    /// <summary>Starts a job.</summary>
    /// <param name="gate">Stands before the issuer of every target.</param>
    /// <param name="targets">The names of the targets.</param>
    public static Task<JobSession> StartAsync(IssuerGate gate, IReadOnlyList<string> targets) =>
        JobSession.StartAsync(builder =>
        {
            builder.EndOnSignals(false).Identity("job", Proofs.Source, ActsFor.Workload);
            foreach (string target in targets)
                builder.Target(target, new InMemoryExchanger(gate), identity: "job", "read");
        });

    /// <summary>Starts a job with one target, <c>warehouse</c>, whose exchange goes over a wire in memory: form, request, tries and answer are those of the product.</summary>
    /// <param name="issuer">The token endpoint.</param>
    /// <param name="time">The clock.</param>
    public static Task<JobSession> StartOverTheWireAsync(InMemoryIssuer issuer, TimeProvider time) =>
        JobSession.StartAsync(builder => builder
            .EndOnSignals(false).Time(time).Transport(() => issuer).Identity("job", Proofs.Source, ActsFor.Workload)
            .Target("warehouse", Targets.Rfc8693(new Uri("https://issuer.example/"), options => options.TokenEndpoint = new Uri("https://issuer.example/token")), identity: "job", "read"));
}
