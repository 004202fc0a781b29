namespace Nhi.TokenExchange;

/// <summary>Starts real jobs: the whole pipeline stands behind each provider, only the issuer lives in memory.</summary>
public static class BenchmarkJob
{
    /// <summary>Starts a job.</summary>
    /// <param name="gate">Stands before the issuer of every target.</param>
    /// <param name="targets">The names of the targets.</param>
    /// <param name="time">The clock; the system's if null.</param>
    public static Task<JobSession> StartAsync(IssuerGate gate, IReadOnlyList<string> targets, TimeProvider? time = null) =>
        JobSession.StartAsync(builder =>
        {
            builder.EndOnSignals(false).Identity("job", Proofs.Source, ActsFor.Workload);
            if (time is not null)
                builder.Time(time);
            foreach (string target in targets)
                builder.Target(target, new InMemoryExchanger(gate), identity: "job", "read");
        });
}
