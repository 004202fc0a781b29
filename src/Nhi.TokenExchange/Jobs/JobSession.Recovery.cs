namespace Nhi.TokenExchange;

/// <content>What killed jobs left behind.</content>
public sealed partial class JobSession
{
    /// <summary>
    /// Deals with what killed jobs left behind in the folder of journals (<see cref="TokenExchangeBuilder.Journal"/>), and starts none: revokes what has a handle by the targets that are declared, accounts for the rest. Each start of a job
    /// with that folder does the same beside the job. What living jobs write, and what somebody else recovers at this moment, is left alone.
    /// </summary>
    /// <param name="compose">Declares targets, audit and <see cref="TokenExchangeBuilder.Journal"/>, as for the job.</param>
    /// <param name="fromOtherHosts">Whether journals of other hosts are taken, too. Only when those run the job no more.</param>
    /// <param name="cancellationToken">Stops; the rest is left in the journals.</param>
    /// <exception cref="TokenExchangeException">The composition is wrong, or names no folder of journals, or that is not safe.</exception>
    public static async Task<RecoveryReport> RecoverAsync(Action<TokenExchangeBuilder> compose, bool fromOtherHosts = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(compose);
        var builder = new TokenExchangeBuilder();
        compose(builder);
        SessionPlan plan = builder.FreezeForRecovery() with { EndOnSignals = false, KillSwitch = null, MaxDuration = null };
        if (plan.Journal is null)
            throw new TokenExchangeException(ErrorCodes.InvalidConfiguration, ExchangeStage.Configure, "The composition names no folder of journals.") { Hint = "Name it: builder.Journal(path), or the setting Journal." };
        JobSession session = await OrDisposeAsync(plan, one => new JobSession(one, fromOtherHosts, onlyRecovers: true)).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            session.Audit.StartShipping(session);
            RecoveryReport report = await session.Recovery.RunAsync(cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            // What it asked with, such as a login to Vault, is its own to end.
            JobReport own = await session.CompleteAsync(CancellationToken.None).ConfigureAwait(false);
            return own is { AllEnded: true, Untold: 0 } ? report : new RecoveryReport([.. report.Jobs, own], report.Refused);
        }
    }

    /// <summary>Waits for what this job's start found left behind by killed ones to be dealt with. That goes on beside the job, and the job's end waits for it within its own deadline.</summary>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>What was done; an empty report where no folder of journals is named.</returns>
    public Task<RecoveryReport> WaitForRecoveryAsync(CancellationToken cancellationToken = default) => Recovery.Report.WaitAsync(cancellationToken);
}
