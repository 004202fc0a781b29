namespace Nhi.TokenExchange;

/// <summary>Calls a thing so often that the JIT has compiled for good what is hot in it.</summary>
/// <remarks>
/// What takes many microseconds is called some hundred times in an iteration, what takes five nanoseconds some ten million times. Left alone, the slow rows would be measured in code that still counts
/// its own calls, beside fast rows in finished code.
/// </remarks>
public static class Settling
{
    // A whole exchange of ours was seen to get no faster after this many.
    private const int Calls = 40_000;
    private const int CallsBetweenPauses = 10_000;

    // Longer than the 100 ms for which the JIT waits for quiet. On one core it compiles only while nobody calls.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);

    public static async Task OfAsync(Func<Task> call)
    {
        ArgumentNullException.ThrowIfNull(call);
        for (int i = 1; i <= Calls; i++)
        {
            await call();
            if (i % CallsBetweenPauses == 0)
                await Task.Delay(Pause);
        }
    }
}
