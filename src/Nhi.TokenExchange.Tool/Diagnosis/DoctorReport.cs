namespace Nhi.TokenExchange;

/// <summary>What doctor found.</summary>
/// <param name="Job">What is of the whole job: settings, start, runtime.</param>
/// <param name="Targets">Each target.</param>
internal sealed record DoctorReport(IReadOnlyList<StageResult> Job, IReadOnlyList<TargetReport> Targets)
{
    /// <summary>The first thing that is wrong; null if nothing is.</summary>
    public StageResult? FirstFailure => Job.Concat(Targets.SelectMany(target => target.Stages)).FirstOrDefault(stage => stage.Verdict == Verdict.Failed);

    /// <summary>The code that the command ends with.</summary>
    public int ExitCode => FirstFailure?.ExitCode ?? ExitCodes.Ok;
}

/// <summary>What doctor found of one target.</summary>
/// <param name="Target">Its name.</param>
/// <param name="Stages">The stages that were reached, in order.</param>
internal sealed record TargetReport(string Target, IReadOnlyList<StageResult> Stages);
