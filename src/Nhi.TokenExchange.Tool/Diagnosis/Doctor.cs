namespace Nhi.TokenExchange;

/// <summary>Starts a job as its program would, gets the credential of each target once, and ends it: what fails, fails as it would there, and is told stage by stage.</summary>
/// <param name="compose">Declares the job.</param>
/// <param name="trusted">What is known of the trust at the other side.</param>
/// <param name="time">Measures.</param>
internal sealed class Doctor(Action<TokenExchangeBuilder> compose, TrustedValues trusted, TimeProvider time)
{
    private readonly WireObserver _wire = new(time);
    private readonly EventObserver _events = new();

    /// <summary>Examines a job.</summary>
    /// <param name="names">The targets; none means all.</param>
    /// <param name="progress">Told what is being done.</param>
    /// <param name="cancellationToken">Gives up; what was issued is ended all the same.</param>
    /// <exception cref="TokenExchangeException">There is no target of such a name.</exception>
    public async Task<DoctorReport> ExamineAsync(IReadOnlyList<string> names, Action<string> progress, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        JobSession session;
        try
        {
            session = await JobSession.StartAsync(builder => { compose(builder); builder.Time(time).Around(_wire.Around).Audit(_events); }, cancellationToken).ConfigureAwait(false);
        }
        catch (TokenExchangeException failed)
        {
            return new DoctorReport([.. RuntimeLook.Take(), StageResult.Failed(FailedStage.Of(failed), failed, time.GetElapsedTime(start))], []);
        }
        await using (session.ConfigureAwait(false))
        {
            var targets = new List<TargetReport>();
            foreach (TargetRuntime target in Chosen(session, names))
                targets.Add(await new TargetExamination(session, target, trusted, _wire, _events).RunAsync(progress, cancellationToken).ConfigureAwait(false));
            progress("ending what was issued");
            JobReport ended = await session.CompleteAsync(CancellationToken.None).ConfigureAwait(false);
            StageResult started = StageResult.Ok(Stage.Settings, $"{session.Plan.Targets.Count} target(s) of {ExceptionText.Clean(session.Context.ToString(), 500)}", time.GetElapsedTime(start));
            return new DoctorReport([started, .. RuntimeLook.Take()], [.. targets.Select(target => target with { Stages = [.. target.Stages, .. EndsOf(target.Target, ended)] })]);
        }
    }

    // Those that are gone through come first, as in the plan.
    private static IReadOnlyList<TargetRuntime> Chosen(JobSession session, IReadOnlyList<string> names)
    {
        if (names.Count == 0)
            return [.. session.Plan.Targets.Select(plan => session.Runtime(plan.Name))];
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in names)
        {
            for (TargetPlan? plan = session.Runtime(name).Plan; plan is not null; plan = plan.Through is { } hop ? session.Runtime(hop).Plan : null)
                wanted.Add(plan.Name);
        }
        return [.. session.Plan.Targets.Where(plan => wanted.Contains(plan.Name)).Select(plan => session.Runtime(plan.Name))];
    }

    private static IEnumerable<StageResult> EndsOf(string target, JobReport ended) =>
        ended.Leases.Where(lease => lease.Target == target).Select(lease => lease.End switch
        {
            LeaseEnd.Failed => new StageResult(Stage.Revocation, Verdict.Failed, lease.ToString(), Code: ErrorCodes.RevocationFailed, Remedy: "See that the issuer lets this client revoke; have this one revoked by its handle.", ExitCode: ExitCodes.Unrevoked),
            LeaseEnd.CannotBeRevoked or LeaseEnd.LivesOn => StageResult.Warning(Stage.Revocation, lease.ToString()),
            _ => StageResult.Ok(Stage.Revocation, lease.ToString()),
        });
}
