using System.Diagnostics;

namespace Nhi.TokenExchange;

/// <summary>The one place in memory where a static key is, for a while: it lives on at its service, so what nobody asks for any more is let go.</summary>
/// <remarks>A string can't be wiped; let go, it is the collector's. All reads of a key that has not changed share one.</remarks>
internal sealed class KeptKey
{
    private readonly ITimer _timer;

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private string? _text;

    public KeptKey(string text, TimeProvider time)
    {
        _text = text;
        // It is of nobody's flight.
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _timer = time.CreateTimer(static kept => ((KeptKey)kept!).LetGo(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The key; null once it was let go. A method, which no serializer calls.</summary>
    public string? Reveal() => _text;

    /// <summary>Keeps it from now on for that long.</summary>
    public void KeepFor(TimeSpan life) => _timer.Change(life, Timeout.InfiniteTimeSpan);

    public void LetGo()
    {
        _text = null;
        _timer.Dispose();
    }
}
