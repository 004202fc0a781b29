namespace Nhi.TokenExchange;

/// <summary>Ends a credential at its issuer when the permit that it was got by is over, though it could live on: no grant outlives its permit. Handed out it is no more by then anyway.</summary>
internal sealed class PermitEnd(JobSession session, LeaseEnding ending)
{
    private static readonly TimeSpan SoonestLook = TimeSpan.FromSeconds(1);
    // No timer waits for more than seven weeks.
    private static readonly TimeSpan LatestLook = TimeSpan.FromDays(1);

    /// <summary>Begins to watch. The job's end finds the lease in the set.</summary>
    public void Watch(Credential credential, DateTimeOffset endsAt)
    {
        // It belongs to no flight.
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _ = WatchAsync(credential, endsAt);
    }

    private async Task WatchAsync(Credential credential, DateTimeOffset endsAt)
    {
        try
        {
            TimeSpan left = endsAt - session.Clock.Now;
            do
            {
                await Task.Delay(left < SoonestLook ? SoonestLook : left > LatestLook ? LatestLook : left, session.Plan.Time, session.Over).ConfigureAwait(false);
                left = endsAt - session.Clock.Now;   // a wall that was set back makes it look again
            }
            while (left > TimeSpan.Zero);
            if (LeaseSet.IsOpen(credential))   // else it has ended, or what renewed it has a permit of its own
                ending.EndInBackground([credential], "its permit is over");
        }
        catch (OperationCanceledException)
        {
            // The job ends.
        }
    }
}
