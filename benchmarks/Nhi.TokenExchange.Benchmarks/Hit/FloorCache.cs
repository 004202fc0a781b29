namespace Nhi.TokenExchange;

/// <summary>The floor that every hit is compared with: one volatile reference to an immutable entry, one coarse tick. It knows no suspend, no refresh, no end of a job.</summary>
public sealed class FloorCache
{
    private volatile Entry _entry = new(new object(), Environment.TickCount64 + (24L * 60 * 60 * 1000));

    public object? Get()
    {
        Entry entry = _entry;
        return Environment.TickCount64 < entry.EndTick ? entry.Value : null;
    }

    private sealed class Entry(object value, long endTick)
    {
        public readonly object Value = value;
        public readonly long EndTick = endTick;
    }
}
