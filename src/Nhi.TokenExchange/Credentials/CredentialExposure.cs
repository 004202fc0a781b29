namespace Nhi.TokenExchange;

/// <summary>Three questions about the credential of a target, answered from facts before it is asked for: told at the start, in health and audit, and to the policy, which may forbid each.</summary>
/// <param name="reusableAfterJob">See <see cref="ReusableAfterJob"/>.</param>
/// <param name="visibleToOperators">See <see cref="VisibleToOperators"/>.</param>
/// <param name="tiedToHuman">See <see cref="TiedToHuman"/>.</param>
public sealed class CredentialExposure(ExposureAnswer reusableAfterJob, ExposureAnswer visibleToOperators, ExposureAnswer tiedToHuman)
{
    /// <summary>Whether a copy of it opens anything once the job has ended.</summary>
    public ExposureAnswer ReusableAfterJob { get; } = reusableAfterJob;

    /// <summary>Whether somebody who runs the platform or the vault can get to see it, without being the job.</summary>
    public ExposureAnswer VisibleToOperators { get; } = visibleToOperators;

    /// <summary>Whether it hangs on a person's login: it ends when he leaves, and does what he may.</summary>
    public ExposureAnswer TiedToHuman { get; } = tiedToHuman;

    /// <summary>For requests that say nothing of it.</summary>
    internal static CredentialExposure Unknown { get; } = new(ExposureAnswer.Yes("it is not known"), ExposureAnswer.Yes("it is not known"), ExposureAnswer.Yes("it is not known"));

    /// <summary>Whether one of the answers is yes that is no in the other.</summary>
    internal bool IsWorseThan(CredentialExposure other) =>
        (ReusableAfterJob.IsYes && !other.ReusableAfterJob.IsYes) || (VisibleToOperators.IsYes && !other.VisibleToOperators.IsYes) || (TiedToHuman.IsYes && !other.TiedToHuman.IsYes);

    /// <summary>The three words alone.</summary>
    public override string ToString() => $"reusable after the job: {ReusableAfterJob.Word}, visible to operators: {VisibleToOperators.Word}, tied to a human: {TiedToHuman.Word}";
}
