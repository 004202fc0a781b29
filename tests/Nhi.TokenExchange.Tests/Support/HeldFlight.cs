namespace Nhi.TokenExchange.Tests;

/// <summary>A job whose flights can be stopped at any step of the pipeline.</summary>
internal static class HeldFlight
{
    private static readonly Dictionary<string, AuditEventKind> Records = new()
    {
        ["records the proof"] = AuditEventKind.Attested, ["records the permit"] = AuditEventKind.Permitted, ["records the intent"] = AuditEventKind.Exchanging, ["records the outcome"] = AuditEventKind.Issued,
    };

    public static IEnumerable<string> Steps { get; } = ["attests", "authorizes", "exchanges", .. Records.Keys];

    /// <summary>Starts a job whose flights stand before the gate at that step.</summary>
    public static async Task<TestJob> StartAsync(string step, Gate gate)
    {
        var proofs = new ManualTimeProvider();
        IWorkloadIdentitySource source = IdentitySources.From(async (request, _) =>
        {
            if (step == "attests")
                await gate.PassAsync();
            return new SubjectToken(TestProofs.Jwt(proofs, request.Audience.ToString()), SubjectTokenType.Jwt);
        });
        TestJob job = await TestJob.StartAsync(i => i.Gate = step == "exchanges" ? gate : null, source: source);
        if (step == "authorizes")
            job.Policy.Before = _ => gate.PassAsync();
        if (Records.TryGetValue(step, out AuditEventKind kind))
            job.Audit.Hold = e => e.Kind == kind ? gate.PassAsync() : Task.CompletedTask;
        return job;
    }

    /// <summary>Waits until nothing of a job is in the air. Moves no clock.</summary>
    public static Task LandedAsync(JobSession session, CredentialProvider<BearerToken> provider) =>
        Eventually.HoldsAsync(() => session.Leases.FlightsInTheAir == 0 && !((SlotProvider<BearerToken>)provider).HasFlight, "the landing of the last flight");
}
