namespace Nhi.TokenExchange;

/// <summary>Watches for the end that is assumed for a credential, because its issuer said none or did not answer a renewal, and ends it then; while that fails, tries again, for a day.</summary>
internal sealed class AssumedEnd(JobSession session, LeaseEnding ending)
{
    private static readonly TimeSpan SoonestLook = TimeSpan.FromSeconds(1);
    // No timer waits for more than seven weeks.
    private static readonly TimeSpan LatestLook = TimeSpan.FromDays(1);
    private static readonly TimeSpan FirstWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);
    // A host may run for months beside an issuer that ends nothing: what it could not be made to end in a day is given up, and told of as such.
    private static readonly TimeSpan GivenUpAfter = TimeSpan.FromDays(1);

    /// <summary>Begins to watch. The job's end finds the lease in the set.</summary>
    public void Watch(Credential credential)
    {
        // It belongs to no flight.
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _ = WatchAsync(credential);
    }

    private async Task WatchAsync(Credential credential)
    {
        TimeProvider time = session.Plan.Time;
        try
        {
            do
            {
                TimeSpan left = credential.ExpiresAt - session.Clock.Now;   // a wall that was set back makes it look again
                await Task.Delay(left < SoonestLook ? SoonestLook : left > LatestLook ? LatestLook : left, time, session.Over).ConfigureAwait(false);
            }
            while (!session.Leases.IsPastEnd(credential));
            long began = time.GetTimestamp();
            for (TimeSpan wait = FirstWait; ; wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
            {
                await ending.EndOverdueAsync(credential, isLastTry: time.GetElapsedTime(began) >= GivenUpAfter).ConfigureAwait(false);
                if (!LeaseSet.IsOpen(credential))
                    return;
                await Task.Delay(wait, time, session.Over).ConfigureAwait(false);   // it failed, or somebody else is at it, who may fail
            }
        }
        catch (OperationCanceledException)
        {
            // The job ends.
        }
    }
}
