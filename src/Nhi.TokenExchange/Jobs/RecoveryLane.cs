using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>One target of one recovery: some of what was left behind is dealt with at once, of all journals together.</summary>
/// <remarks>
/// An issuer that ends nothing for as long as one revocation may take is asked no more: the others would wait as long, in vain, and a short job would never come to the end of them. The next recovery asks for them again.
/// What was not asked for, as there was no credential to ask with, says nothing of the issuer.
/// </remarks>
/// <param name="target">The target; null: none is declared.</param>
/// <param name="stop">Cancelled when the recovery stops.</param>
internal sealed class RecoveryLane(TargetRuntime? target, CancellationToken stop)
{
    private const int MostAtOnce = 16;

    // Of one revocation with its retries.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private readonly Turns _turns = new(MostAtOnce);
    // Another object with each answer. Seconds lie between what is written and what is read for it; who reads too early asks once in vain.
    private object _lastAnswer = new();
    private string? _silence;

    public TargetRuntime? Target => target;

    /// <summary>Whether its issuer is asked with credentials of the job.</summary>
    public bool AsksWithOwn => target is not null && (target.Plan.Through is not null || target.Plan.Exchanger.EndsByOwn);

    /// <summary>Cancelled when the recovery stops.</summary>
    public CancellationToken Stop => stop;

    /// <summary>Begins one after the other in their order, as soon as there is room, and waits for all. What comes when the recovery has stopped is begun at once.</summary>
    public async Task ForEachAsync(IEnumerable<JournalEntry> entries, Func<JournalEntry, Task> settleAsync)
    {
        var begun = new List<Task>();
        foreach (JournalEntry entry in entries)
        {
            bool hasTurn = await _turns.TakeAsync(stop).ConfigureAwait(false);
            begun.Add(Task.Run(() => SettleAsync(entry, hasTurn, settleAsync), CancellationToken.None));   // a plug-in that blocks its thread holds up nobody
        }
        await Task.WhenAll(begun).ConfigureAwait(false);
    }

    /// <summary>Asks the issuer to end a credential by its handle.</summary>
    /// <returns>What is true of it then, and why it did not end.</returns>
    public async Task<RevocationAnswer> AskAsync(string handle)
    {
        TargetRuntime asked = target ?? throw new InvalidOperationException("There is no such target.");
        if (_silence is { } last)
            return new RevocationAnswer(LeaseEnd.Failed, string.Create(CultureInfo.InvariantCulture, $"not asked for by this recovery, as none of its target ended for {Deadline.TotalSeconds:0} seconds (of one of those: {last}); the next recovery asks for it"));
        var own = new OwnCredentialWait();
        object before = _lastAnswer;
        using var deadline = new CancellationTokenSource(Deadline, asked.Session.Plan.Time);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        RevocationAnswer answer = await asked.Activities.RunAsync(() => new RevocationAttempts(asked, asked.Session.Plan.Time).RunAsync(
            cancellation => asked.RevokeAsync(handle, cancellation, own), () => false, bounded.Token)).ConfigureAwait(false);
        asked.Measurements.Ended(answer.End);
        if (answer.End != LeaseEnd.Failed || !deadline.IsCancellationRequested)
            _lastAnswer = new object();
        else if (!own.IsOn && ReferenceEquals(_lastAnswer, before))
            _silence = answer.Failure;
        return answer;
    }

    private async Task SettleAsync(JournalEntry entry, bool hasTurn, Func<JournalEntry, Task> settleAsync)
    {
        try
        {
            await settleAsync(entry).ConfigureAwait(false);
        }
        finally
        {
            if (hasTurn)
                _turns.GiveBack();
        }
    }
}
