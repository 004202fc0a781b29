namespace Nhi.TokenExchange;

/// <summary>What stands open in the journal of a running job, and the lines that say how that changes. One thread's alone.</summary>
/// <remarks>
/// A credential may be ended before its flight has written it down: then its entry ends where it begins. Whether its end is uncertain is looked at when its line is made, and not when that is asked for: who marks it
/// (<see cref="LeaseSet.TryLengthen"/>) and asks for a line then finds the mark in that line, or in one that comes after it.
/// </remarks>
internal sealed class OpenEntries
{
    private readonly SortedDictionary<long, JournalRecord> _open = [];
    private readonly Dictionary<Credential, long> _numberOf = [];
    private readonly Dictionary<(string Target, string Thing), long> _numberOfThing = [];

    public int Count => _open.Count;

    /// <summary>Bytes of all lines.</summary>
    public long Length { get; private set; }

    public IEnumerable<byte[]> Lines => _open.Values.Select(record => record.Text);

    /// <summary>Opens an entry, or puts more that is known into its place.</summary>
    /// <param name="record">The entry.</param>
    /// <param name="text">Gets the lines.</param>
    public void Put(JournalRecord record, MemoryStream text)
    {
        if (record.Credential is not { } credential)
        {
            Write(record, text);
            return;
        }
        bool isUncertain = LeaseSet.IsEndUncertain(credential);
        Write(isUncertain == record.Entry.EndIsUncertain ? record : JournalRecord.Of(record.Entry with { EndIsUncertain = isUncertain }, credential), text);
        if (LeaseOwnership.IsOver(credential))
            End(record.Entry.Number, "Ended", text);
    }

    /// <summary>Puts down anew when a credential ends, or that this is uncertain. Where it does not stand here any more, nothing changes.</summary>
    /// <param name="credential">The credential.</param>
    /// <param name="renewed">What it was renewed as, whose end counts; null: nothing.</param>
    /// <param name="text">Gets the lines.</param>
    public void PutAgain(Credential credential, JournalEnd? renewed, MemoryStream text)
    {
        if (!_numberOf.TryGetValue(credential, out long number))
            return;
        JournalEntry entry = _open[number].Entry;
        Write(JournalRecord.Of(renewed is { } end ? entry with { UnusableFrom = end.UnusableFrom, DiesAt = end.DiesAt, EndIsUncertain = false } : entry with { EndIsUncertain = LeaseSet.IsEndUncertain(credential) }, credential), text);
    }

    /// <summary>An entry has ended, and the audit does not know. Where it does not stand here, nothing changes.</summary>
    public void Leave(long number, JournalUntold untold, MemoryStream text)
    {
        if (_open.TryGetValue(number, out JournalRecord? record))
            Write(JournalRecord.Of(record.Entry with { Untold = untold }, record.Credential), text);
    }

    /// <summary>A credential has ended, and the audit does not know.</summary>
    public void Leave(Credential credential, JournalUntold untold, MemoryStream text)
    {
        if (_numberOf.TryGetValue(credential, out long number))
            Leave(number, untold, text);
    }

    /// <summary>Nothing is left to do about an entry.</summary>
    public void End(long number, string end, MemoryStream text)
    {
        if (Forget(number))
            text.Write(JournalText.OfEnd(number, end));
    }

    /// <summary>Nothing is left to do about a credential.</summary>
    public void End(Credential credential, string end, MemoryStream text)
    {
        if (_numberOf.TryGetValue(credential, out long number))   // else it is not written down yet, or stands here as its renewal
            End(number, end, text);
    }

    private void Write(JournalRecord record, MemoryStream text)
    {
        long number = record.Entry.Number;
        Forget(number);
        _open.Add(number, record);
        Length += record.Text.Length;
        text.Write(record.Text);
        if (record.Credential is not null)
            _numberOf[record.Credential] = number;
        if (record.Thing is not { } thing)
            return;
        // What was renewed stands here once.
        if (_numberOfThing.Remove(thing, out long renewed) && renewed != number)
            End(renewed, "Renewed", text);
        _numberOfThing[thing] = number;
    }

    private bool Forget(long number)
    {
        if (!_open.Remove(number, out JournalRecord? record))
            return false;
        Length -= record.Text.Length;
        if (record.Credential is not null)
            _numberOf.Remove(record.Credential);   // nobody ends what was renewed: here it would stay, and hold all that was issued before it
        if (record.Thing is { } thing && _numberOfThing.GetValueOrDefault(thing) == number)
            _numberOfThing.Remove(thing);
        return true;
    }
}
