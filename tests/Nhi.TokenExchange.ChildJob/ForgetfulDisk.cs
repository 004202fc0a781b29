using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;
using Nhi.TokenExchange;

/// <summary>A disk that has what is written with the flush alone: who is killed before that leaves nothing of it, as when the power fails.</summary>
internal sealed class ForgetfulDisk : Disk
{
    private readonly ConcurrentDictionary<SafeFileHandle, List<(byte[] Text, long At)>> _unflushed = new();

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> text, long at) => _unflushed.GetOrAdd(file, _ => []).Add((text.ToArray(), at));

    public override void Flush(SafeFileHandle file)
    {
        if (_unflushed.TryRemove(file, out List<(byte[] Text, long At)>? texts))
        {
            foreach ((byte[] text, long at) in texts)
                base.Write(file, text, at);
        }
        base.Flush(file);
    }
}
