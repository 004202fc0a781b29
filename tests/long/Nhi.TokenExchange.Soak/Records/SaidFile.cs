using System.Collections.Concurrent;

namespace Nhi.TokenExchange.Soak;

/// <summary>What was said to logs, traces, metrics or exceptions: those that come often once, so that a night's run can be searched.</summary>
internal sealed class SaidFile(string path) : IDisposable
{
    private const int MostRemembered = 20_000;

    private readonly ConcurrentDictionary<string, bool> _seen = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private int _remembered;
    private readonly StreamWriter _writer = new(path, append: false);

    public void Say(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return;
        if (_seen.ContainsKey(text))
            return;
        if (Interlocked.Increment(ref _remembered) <= MostRemembered)
            _seen.TryAdd(text, true);
        lock (_gate)
            _writer.WriteLine(text);
    }

    public void Say(Exception exception)
    {
        Say(exception.ToString());
        for (Exception? one = exception; one is not null; one = one.InnerException)
        {
            Say(one.Message);
            foreach (System.Collections.DictionaryEntry entry in one.Data)
                Say($"{entry.Key}={entry.Value}");
        }
    }

    public void Dispose() => _writer.Dispose();
}
