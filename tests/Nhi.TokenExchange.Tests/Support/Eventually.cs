using System.Diagnostics;

namespace Nhi.TokenExchange.Tests;

/// <summary>Waits for what other threads bring about, and says what it waited for if that never comes.</summary>
internal static class Eventually
{
    // No measure of speed: what has not come by then does not come.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Lets other work run until the condition holds.</summary>
    /// <param name="condition">Looked at again and again; what has to be done between two looks, such as moving a manual clock, it may do itself.</param>
    /// <param name="what">What is waited for, for the message.</param>
    /// <exception cref="AssertionException">It did not hold within a minute.</exception>
    public static Task HoldsAsync(Func<bool> condition, string what) => HoldsAsync(() => Task.FromResult(condition()), what);

    /// <inheritdoc cref="HoldsAsync(Func{bool}, string)"/>
    public static async Task HoldsAsync(Func<Task<bool>> condition, string what)
    {
        for (long began = Stopwatch.GetTimestamp(); !await condition();)
        {
            if (Stopwatch.GetElapsedTime(began) > Limit)
                throw new AssertionException($"Waited for {Limit.TotalSeconds:0} seconds, and this did not come: {what}.");
            await Task.Yield();
        }
    }
}
