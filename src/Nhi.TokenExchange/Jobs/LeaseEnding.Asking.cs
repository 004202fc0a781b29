using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Nhi.TokenExchange;

// What the issuer is asked, and what its answer says of a credential that may end with another.
internal sealed partial class LeaseEnding
{
    // The fingerprints of hops' credentials that were ended, by target: what ends with them may be gone.
    private readonly ConcurrentDictionary<(string Target, string Fingerprint), bool> _endedHops = new();
    // What the issuer said when it did not end one: that stands, whoever asks again.
    private readonly ConditionalWeakTable<Credential, string> _failures = [];

    // What the job's end took of targets that others go through: it is ended after those.
    private readonly ConcurrentQueue<Credential> _takenHops = new();

    /// <summary>The credential of a target that lives longest, but for one: an issuer that ends a credential behind another of its own may be asked with any.</summary>
    /// <param name="target">The target; others go through it.</param>
    /// <param name="fingerprint">Which one is not meant.</param>
    /// <returns>Null: there is none that nobody has ended.</returns>
    public Credential? OtherOf(TargetRuntime target, string fingerprint)
    {
        return session.Leases.Live(IsMeant).Concat(_takenHops.Where(taken => IsMeant(taken) && !session.Leases.IsDead(taken))).MaxBy(one => one.ExpiresAt);

        bool IsMeant(Credential one) => one.Lease.Owner == target && one.Fingerprint != fingerprint && !_endedHops.ContainsKey((target.Target, one.Fingerprint));
    }

    // Once it was not answered, or refused, an issuer that knows it no more may have lost it with its hop's credential: that says nothing of the revocation that failed.
    private async Task<Asked> AskAsync(Credential credential, CancellationToken cancellationToken)
    {
        TargetRuntime owner = credential.Lease.Owner!;
        bool hasFailed = _failures.TryGetValue(credential, out string? failure), isLeftToHop = false;
        (LeaseEnd end, string? said, ActivityContext trace) = await owner.Activities.RunAsync(() => new RevocationAttempts(owner, session.Plan.Time).RunAsync(
            AskOnceAsync, () => session.Leases.IsDead(credential), cancellationToken)).ConfigureAwait(false);
        if (end is LeaseEnd.Revoked or LeaseEnd.AlreadyGone && IsHop(owner))
            _endedHops.TryAdd((owner.Target, credential.Fingerprint), true);
        failure ??= "not answered";
        if (hasFailed)
            _failures.AddOrUpdate(credential, failure);
        bool isOfTheHop = isLeftToHop || (end == LeaseEnd.AlreadyGone && EndsWith(credential) is not null && !session.Leases.IsDead(credential));
        return isOfTheHop && hasFailed ? new Asked(LeaseEnd.Failed, failure, isLeftToHop, trace) : new Asked(end, said, isLeftToHop, trace);

        async ValueTask<Revocation> AskOnceAsync(CancellationToken deadline)
        {
            bool hadFailed = hasFailed;
            hasFailed = true;   // until there is an answer
            try
            {
                Revocation answer = await owner.RevokeAsync(credential, deadline).ConfigureAwait(false);
                hasFailed = hadFailed;
                return answer;
            }
            catch (TokenExchangeException exception) when (exception.IsLeftToHop)
            {
                (hasFailed, isLeftToHop) = (hadFailed, true);
                throw;
            }
            catch (Exception exception)
            {
                failure = RevocationAttempts.Said(exception);
                throw;
            }
        }
    }

    private bool IsHop(TargetRuntime target) => session.Targets.Any(other => other.Plan.Through == target.Target);

    private static string? EndsWith(Credential credential) => credential.Lease.Owner!.Plan.Exchanger.EndsWith(credential);

    // The issuer of the hop's credential answered that this has ended. What becomes of what was got with it, it says to nobody.
    private bool IsHopEnded(Credential credential) =>
        credential.Lease.Owner!.Plan.Through is { } hop && EndsWith(credential) is { } fingerprint && _endedHops.ContainsKey((hop, fingerprint));

    private LeaseAccount Account(Credential credential, string reason, Asked asked, Action<LeaseOutcome> list)
    {
        string? note = asked.Failure;
        if (asked.End == LeaseEnd.Failed && (asked.IsLeftToHop || IsHopEnded(credential)))
            note += $"; the credential of '{credential.Lease.Owner!.Plan.Through}' that it was got through was ended, and its issuer may end it with that, but does not say so";
        return accounts.Account(credential, reason, new RevocationAnswer(asked.End, note, asked.Trace), list);
    }

    /// <summary>What an issuer answered that was asked to end a credential.</summary>
    /// <param name="End">What is true of it.</param>
    /// <param name="Failure">Why it did not end.</param>
    /// <param name="IsLeftToHop">Whether its hop's credential has ended, with which it would have been asked for.</param>
    /// <param name="Trace">The activity in which it was asked.</param>
    private readonly record struct Asked(LeaseEnd End, string? Failure, bool IsLeftToHop, ActivityContext Trace);
}
