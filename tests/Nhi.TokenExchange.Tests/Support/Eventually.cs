using System.Diagnostics;

namespace Nhi.TokenExchange.Tests;

/// <summary>Waits for what other threads bring about, and says what it waited for if that never comes.</summary>
internal static class Eventually
{
    // No measure of speed: what has not come by then does not come.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // Most of it comes within a few turns of the thread pool; what takes longer must not cost a core meanwhile.
    private const int QuickLooks = 100;
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(1);

    /// <summary>Lets other work run until the condition holds.</summary>
    /// <param name="condition">Looked at again and again; what has to be done between two looks, such as moving a manual clock, it may do itself.</param>
    /// <param name="what">What is waited for, for the message.</param>
    /// <param name="limit">Default: a minute.</param>
    /// <exception cref="AssertionException">It did not hold, or a look did not come back, within the limit.</exception>
    public static Task HoldsAsync(Func<bool> condition, string what, TimeSpan? limit = null) => HoldsAsync(() => Task.FromResult(condition()), what, limit);

    /// <inheritdoc cref="HoldsAsync(Func{bool}, string, TimeSpan?)"/>
    /// <remarks>The only real wait of the tests: it breathes between two looks, and nothing depends on how long.</remarks>
    public static async Task HoldsAsync(Func<Task<bool>> condition, string what, TimeSpan? limit = null)
    {
        TimeSpan most = limit ?? Limit;
        long began = Stopwatch.GetTimestamp();
        for (int looks = 1; !await LookAsync(condition(), most - Stopwatch.GetElapsedTime(began), what, most); looks++)
        {
            if (looks < QuickLooks)
                await Task.Yield();
            else
                await Task.Delay(Breath, TimeProvider.System);
        }
    }

    private static async Task<bool> LookAsync(Task<bool> look, TimeSpan rest, string what, TimeSpan limit)
    {
        try
        {
            bool holds = await look.WaitAsync(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, TimeProvider.System);
            return holds || rest > TimeSpan.Zero ? holds : throw TooLate("this did not come");
        }
        catch (TimeoutException) when (!look.IsCompleted)   // not one of its own
        {
            throw TooLate("a look at this did not come back");
        }

        AssertionException TooLate(string how) => new($"Waited for {limit.TotalSeconds:0.##} seconds, and {how}: {what}.");
    }
}
