using System.Diagnostics;
using System.Globalization;
using Nhi.TokenExchange;

namespace QuickStart;

/// <summary>What one more get of a credential costs when it is there already.</summary>
internal sealed record HitCost(int Calls, double NanosecondsEach, double BytesEach)
{
    public static HitCost Measure(CredentialProvider<BearerToken> provider, int calls)
    {
        Run(provider, calls);   // the JIT compiles and optimizes
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        Run(provider, calls);
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        return new HitCost(calls, time.TotalNanoseconds / calls, Math.Round((double)bytes / calls, 3));
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Calls:N0} gets, {NanosecondsEach:0.0} ns and {BytesEach:0} bytes each (each reads the tick; the wall clock is asked once a tick)");

    private static void Run(CredentialProvider<BearerToken> provider, int calls)
    {
        for (int i = 0; i < calls; i++)
        {
            ValueTask<BearerToken> hit = provider.GetAsync();
            if (!hit.IsCompletedSuccessfully || hit.GetAwaiter().GetResult() is null)
                throw new InvalidOperationException("A get was no hit.");
        }
    }
}
