using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>The ends that the audit has not taken yet: tried once more before the job's end is over, and left to the journal for the next start.</summary>
/// <remarks>An audit may take an event and fail all the same, such as one of two sinks: then it has the same event twice.</remarks>
internal sealed class UntoldEnds
{
    // A host may run for months beside an audit that refuses. The journal has the others.
    private const int MostKept = 1_000;
    private const int MostAtOnce = 16;

    private readonly ConcurrentDictionary<object, UntoldEnd> _kept = new(ReferenceEqualityComparer.Instance);
    private readonly ConcurrentDictionary<UntoldEnd, bool> _refused = new(ReferenceEqualityComparer.Instance);   // of them, and nobody is telling it
    private readonly ConcurrentDictionary<TaskCompletionSource, bool> _onTheirWay = new();
    private readonly BoundedLog<UntoldEnd> _leftOut = new(most: 0);   // counted, not kept

    /// <summary>How many there are.</summary>
    public int Count => _kept.Count + (int)_leftOut.Dropped;

    /// <summary>Adds an end that is about to be told.</summary>
    public UntoldEnd Add(UntoldEnd end)
    {
        if (_kept.TryGetValue(end.Of, out UntoldEnd? before))
            _refused.TryRemove(before, out _);
        return _kept[end.Of] = end;
    }

    /// <summary>Tells the audit; never fails.</summary>
    public async Task TellAsync(UntoldEnd end)
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _onTheirWay.TryAdd(over, true);
        bool isTaken = await end.RecordAsync().ConfigureAwait(false);
        if (isTaken)
        {
            TryRemove(end);
            end.NoteTold();
        }
        else
        {
            end.NoteUntold();
            if (_kept.Count > MostKept && TryRemove(end))
                _leftOut.Add(end);
            else if (IsKept(end))
                _refused.TryAdd(end, true);
        }
        _onTheirWay.TryRemove(over, out _);
        over.SetResult();
    }

    /// <summary>Tells the audit once more what it has refused. What is being told for the first time just then, such as the answer to a revocation that came at the deadline, is waited for, and not told beside that.</summary>
    public async Task TellAgainAsync()
    {
        Task firstTold = Task.WhenAll(_onTheirWay.Keys.Select(over => over.Task));
        await Parallel.ForEachAsync(_refused.Keys, new ParallelOptions { MaxDegreeOfParallelism = MostAtOnce }, async (end, _) =>
        {
            if (_refused.TryRemove(end, out bool _) && IsKept(end))
                await TellAsync(end).ConfigureAwait(false);
        }).ConfigureAwait(false);
        await firstTold.ConfigureAwait(false);
    }

    /// <summary>Nobody waits for the audit any more: the next start is left to tell of what it has not taken.</summary>
    public void Leave()
    {
        foreach (UntoldEnd end in _kept.Values)
            end.NoteUntold();
    }

    private bool IsKept(UntoldEnd end) => _kept.TryGetValue(end.Of, out UntoldEnd? kept) && ReferenceEquals(kept, end);

    private bool TryRemove(UntoldEnd end) => _kept.TryRemove(new KeyValuePair<object, UntoldEnd>(end.Of, end));   // not one that came after it
}

/// <summary>How something ended, and who has to know.</summary>
/// <param name="Of">What ended. Of one that could not be ended first, and then was, the last end counts.</param>
/// <param name="RecordAsync">Tells the audit; never fails. True: it has taken it.</param>
/// <param name="NoteTold">Tells the journal that nothing is left to do.</param>
/// <param name="NoteUntold">Tells the journal how it ended, and that the audit does not know.</param>
internal sealed record UntoldEnd(object Of, Func<Task<bool>> RecordAsync, Action NoteTold, Action NoteUntold);
