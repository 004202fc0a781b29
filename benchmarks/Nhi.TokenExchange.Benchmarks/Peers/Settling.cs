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

    public static async Task OfAsync(Func<Task> call)
    {
        ArgumentNullException.ThrowIfNull(call);
        for (int i = 0; i < Calls; i++)
            await call();
    }
}
