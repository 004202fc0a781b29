namespace Nhi.TokenExchange;

/// <summary>Watches for an end that no issuer brings about by itself, and ends the credential then; while that fails, tries again.</summary>
/// <remarks>
/// It is the end that is assumed for a credential because its issuer said none or did not answer a renewal, or the end of its permit: no grant outlives that. It ends the watched credential alone: what was renewed meanwhile has a permit and
/// an end of its own.
/// </remarks>
internal sealed class WatchedEnd(JobSession session, LeaseEnding ending)
{
    private static readonly TimeSpan SoonestLook = TimeSpan.FromSeconds(1);
    // No timer waits for more than seven weeks.
    private static readonly TimeSpan LatestLook = TimeSpan.FromDays(1);
    private static readonly TimeSpan FirstWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);
    // A host may run for months beside an issuer that ends nothing: what it could not be made to end in a day after it should be dead is given up, and told of as such.
    private static readonly TimeSpan GivenUpAfter = TimeSpan.FromDays(1);

    /// <summary>Begins to watch for the end that is assumed. The job's end finds the lease in the set.</summary>
    public void WatchAssumed(Credential credential) =>
        Watch(credential, credential.ExpiresAt, () => session.Leases.IsPastEnd(credential), isLastTry => ending.EndOverdueAsync(credential, isLastTry));

    /// <summary>Begins to watch for the end of a permit. The job's end finds the lease in the set.</summary>
    public void WatchPermit(Credential credential, DateTimeOffset endsAt) =>
        Watch(credential, endsAt, () => endsAt <= session.Clock.Now, isLastTry => ending.EndUnpermittedAsync(credential, isLastTry));

    private void Watch(Credential credential, DateTimeOffset endsAt, Func<bool> hasCome, Func<bool, Task> endAsync)
    {
        // It belongs to no flight.
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _ = WatchAsync(credential, endsAt, hasCome, endAsync);
    }

    private async Task WatchAsync(Credential credential, DateTimeOffset endsAt, Func<bool> hasCome, Func<bool, Task> endAsync)
    {
        TimeProvider time = session.Plan.Time;
        try
        {
            do
            {
                TimeSpan left = endsAt - session.Clock.Now;   // a wall that was set back makes it look again
                await Task.Delay(left < SoonestLook ? SoonestLook : left > LatestLook ? LatestLook : left, time, session.Over).ConfigureAwait(false);
            }
            while (!hasCome());
            long? pastEnd = null;
            for (TimeSpan wait = FirstWait; ; wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
            {
                if (session.Leases.IsPastEnd(credential))
                    pastEnd ??= time.GetTimestamp();
                await endAsync(pastEnd is { } since && time.GetElapsedTime(since) >= GivenUpAfter).ConfigureAwait(false);
                if (!LeaseOwnership.IsOpen(credential))
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
