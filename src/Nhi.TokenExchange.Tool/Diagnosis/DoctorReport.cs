namespace Nhi.TokenExchange;

/// <summary>What doctor found.</summary>
/// <param name="Job">What is of the whole job: settings, start, runtime.</param>
/// <param name="Targets">Each target.</param>
internal sealed record DoctorReport(IReadOnlyList<StageResult> Job, IReadOnlyList<TargetReport> Targets)
{
    /// <summary>The first thing that is wrong; null if nothing is.</summary>
    public StageResult? FirstFailure => Job.Concat(Targets.SelectMany(target => target.Stages)).FirstOrDefault(stage => stage.Verdict == Verdict.Failed);

    /// <summary>The code that the command ends with.</summary>
    public int ExitCode => FirstFailure switch
    {
        null => ExitCodes.Ok,
        { Code: ErrorCodes.JobEnded or ErrorCodes.JobRevoked or ErrorCodes.JobTookTooLong } => ExitCodes.Ended,
        { Stage: Stage.Settings or Stage.Start } => ExitCodes.Configuration,
        { Stage: Stage.Policy, Code: not ErrorCodes.PolicyUnavailable } => ExitCodes.Denied,
        { Stage: Stage.Audit } => ExitCodes.Audit,
        { Stage: Stage.Revocation } => ExitCodes.Unrevoked,
        { Code: ErrorCodes.IssuerUnreachable or ErrorCodes.IssuerThrottled or ErrorCodes.DeadlineExceeded or ErrorCodes.PolicyUnavailable or ErrorCodes.TrustNotYetKnown } => ExitCodes.Passing,
        _ => ExitCodes.Refused,
    };
}

/// <summary>What doctor found of one target.</summary>
/// <param name="Target">Its name.</param>
/// <param name="Stages">The stages that were reached, in order.</param>
internal sealed record TargetReport(string Target, IReadOnlyList<StageResult> Stages);
