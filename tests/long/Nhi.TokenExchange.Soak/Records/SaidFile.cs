using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Nhi.TokenExchange.Soak;

/// <summary>What was said to logs, traces, metrics or exceptions: those that come often once, so that a night's run can be searched.</summary>
internal sealed class SaidFile(string path) : IDisposable
{
    private const int MostRemembered = 20_000;

    // By hash: the texts themselves would be what grows in a process whose memory is watched.
    private readonly ConcurrentDictionary<ulong, bool> _seen = new();
    private readonly Lock _gate = new();
    private int _remembered;
    private readonly StreamWriter _writer = new(path, append: false);

    public void Say(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return;
        ulong hash = BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(MemoryMarshal.AsBytes(text.AsSpan())));
        if (_seen.ContainsKey(hash))
            return;
        if (Interlocked.Increment(ref _remembered) <= MostRemembered)
            _seen.TryAdd(hash, true);
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
