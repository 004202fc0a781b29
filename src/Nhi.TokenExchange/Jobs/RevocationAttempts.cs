using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Asks an issuer to end one credential, again and again while that may help and there is time.</summary>
/// <param name="target">Whose credential it is.</param>
/// <param name="time">Measures the waits.</param>
internal sealed class RevocationAttempts(TargetRuntime target, TimeProvider time)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);
    // An issuer may ask for more patience; no deadline of ours is longer than this.
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);
    // It stands in a line of the report.
    private const int LongestSaid = 300;

    /// <summary>Asks until there is an answer.</summary>
    /// <param name="ask">Asks once.</param>
    /// <param name="isDead">Whether it is sure to have died by itself.</param>
    /// <param name="cancellationToken">Cancelled at the deadline.</param>
    /// <returns>What is true then, and if it did not end, why; never an exception.</returns>
    public async Task<(LeaseEnd End, string? Failure)> RunAsync(Func<CancellationToken, ValueTask<Revocation>> ask, Func<bool> isDead, CancellationToken cancellationToken)
    {
        TimeSpan wait = FirstWait;
        string? last = null;
        var watched = new WatchedTries();
        for (int tries = 1; ; tries++)
        {
            if (isDead())
                return (LeaseEnd.AlreadyGone, null);
            try
            {
                Revocation revocation = await watched.Begin(() => ask(cancellationToken)).OrLeftBehindAsync(cancellationToken).ConfigureAwait(false);
                return revocation switch
                {
                    Revocation.Revoked => (LeaseEnd.Revoked, null),
                    Revocation.AlreadyGone => (LeaseEnd.AlreadyGone, null),
                    _ when target.Plan.Exchanger.StaticKey is { } key => (LeaseEnd.LivesOn, SaidOf(key)),
                    _ => (LeaseEnd.CannotBeRevoked, target.Plan.Exchanger.WhyNothingEnds),
                };
            }
            // A cancellation that is not the deadline's is somebody's own time limit, as a time-out is.
            catch (Exception passing) when (passing is TokenExchangeException { IsTransient: true } or OperationCanceledException or TimeoutException && !cancellationToken.IsCancellationRequested)
            {
                last = passing is TokenExchangeException ? Said(passing) : HeardLast() ?? last;
                try
                {
                    TimeSpan asked = (passing as TokenExchangeException)?.RetryAfter ?? wait;
                    asked = asked < LongestRetryAfter ? asked : LongestRetryAfter;
                    await Task.Delay(asked > wait ? asked : wait, time, cancellationToken).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    return (LeaseEnd.Failed, NotUntilTheDeadline(tries));
                }
                wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
            }
            catch (Exception exception)   // whatever it was, the credential is accounted for
            {
                // What is cut off may have been answered, and waited before its next try: nothing is said of that.
                string until = exception is TokenExchangeException { IsTransient: true } ? " until the deadline" : "";   // else it would have been asked again
                if (exception is not OperationCanceledException)
                    return (LeaseEnd.Failed, $"{Said(exception)}, in {Count(tries, watched)}{until}");
                last = HeardLast() ?? last;
                return (LeaseEnd.Failed, NotUntilTheDeadline(tries));
            }
        }

        // A call with its repetitions may have been cut off before it told that.
        string? HeardLast() => watched.Heard is ({ } heard, _) ? Said(heard) : null;

        string NotUntilTheDeadline(int tries)
        {
            (_, int sent) = watched.Heard;
            return last is not null ? $"{last}, in {Count(tries, watched)} until the deadline"
                : $"not done until the deadline, at {target.Plan.Exchanger.Issuer.AbsoluteUri}{(sent == 0 ? "" : $", which did not answer in {Count(sent)}")}";
        }
    }

    /// <summary>What is true of a static key at a job's end.</summary>
    public static string SaidOf(StaticKeyUse key) => $"a static key of {key.Owner}: nobody else ends it";

    /// <summary>What is told of an exception. What one of others says may quote anything: its name is all that is told of that.</summary>
    public static string Said(Exception exception) =>
        exception is TokenExchangeException { Code: var code, Detail: var detail } ? $"{code}: {ExceptionText.Clean(detail, LongestSaid).TrimEnd('.')}" : exception.GetType().Name;

    // Each call to an exchanger may ask its issuer several times.
    private static string Count(int calls, WatchedTries watched) => Count(Math.Max(calls, watched.Heard.Count));

    private static string Count(int tries) => string.Create(CultureInfo.InvariantCulture, $"{tries} {(tries == 1 ? "try" : "tries")}");
}
