namespace Nhi.TokenExchange;

/// <summary>Numbers that look random and depend on their input alone: not on time, threads or the order of calls.</summary>
internal static class SeededDraw
{
    // SplitMix64.
    public static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15UL;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }

    /// <summary>A number from 0 up to, not including, 1.</summary>
    public static double Unit(params ReadOnlySpan<int> input)
    {
        ulong value = 0;
        foreach (int one in input)
            value = Mix(value ^ (uint)one);
        return (value >> 11) * (1.0 / (1UL << 53));
    }
}
