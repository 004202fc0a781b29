using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange.Tests;

/// <summary>A disk that counts, hangs, is full, fails, or loses the power: what was not flushed is not in the file.</summary>
internal sealed class TestDisk : Disk
{
    private readonly ConcurrentDictionary<SafeFileHandle, List<(byte[] Text, long At)>> _unflushed = new();
    private TaskCompletionSource? _entered;
    private int _flushes;
    private int _writes;
    private int _poolThreads;
    private int _waiting;
    private int _looking;

    /// <summary>How many flushes of files succeeded.</summary>
    public int Flushes => _flushes;

    public int Writes => _writes;

    /// <summary>How many flushes stand before the gate.</summary>
    public int Waiting => _waiting;

    /// <summary>How many threads of the pool have stood before the shut gate.</summary>
    public int PoolThreadsHeld => _poolThreads;

    /// <summary>How many bytes still fit; null: any number. Of a write that does not fit, a part is written, as a real disk does.</summary>
    public long? Room { get; set; }

    /// <summary>Makes each flush fail, after what was written got to the file all the same.</summary>
    public bool FailsToFlush { get; set; }

    /// <summary>Makes each cut fail.</summary>
    public bool FailsToCut { get; set; }

    /// <summary>Makes each name stay that is to be taken away.</summary>
    public bool FailsToDelete { get; set; }

    /// <summary>Makes each flush of a folder fail.</summary>
    public bool FailsToFlushNames { get; set; }

    /// <summary>From where on a read fails; null: nowhere.</summary>
    public long? ReadableUpTo { get; set; }

    /// <summary>How many reads have failed.</summary>
    public int ReadsInVain { get; private set; }

    /// <summary>What each look into a folder waits for.</summary>
    public ManualResetEventSlim FolderGate { get; } = new(initialState: true);

    /// <summary>How many looks stand before it.</summary>
    public int FolderLooksWaiting => _looking;

    /// <summary>Whether what is written gets to the file with the flush alone.</summary>
    public bool ForgetsWhatIsNotFlushed { get; set; }

    /// <summary>Done in each flush, after what was written is on the disk.</summary>
    public Action? InFlush { get; set; }

    /// <summary>What each flush waits for.</summary>
    public ManualResetEventSlim Gate { get; } = new(initialState: true);

    /// <summary>Shuts the gate; the task completes when a flush stands before it, or fails after a minute.</summary>
    public Task Shut()
    {
        Gate.Reset();
        _entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _entered.Task.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System);
    }

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> text, long at)
    {
        Interlocked.Increment(ref _writes);
        if (Room < text.Length)
        {
            base.Write(file, text[..(int)Room], at);
            throw new IOException("No space left on device");
        }
        Room -= text.Length;
        if (!ForgetsWhatIsNotFlushed)
            base.Write(file, text, at);
        else if (!_unflushed.TryAdd(file, [(text.ToArray(), at)]))
            _unflushed[file].Add((text.ToArray(), at));
    }

    public override void Flush(SafeFileHandle file)
    {
        if (!Gate.IsSet && Thread.CurrentThread.IsThreadPoolThread)
            Interlocked.Increment(ref _poolThreads);
        _entered?.TrySetResult();
        Interlocked.Increment(ref _waiting);
        Gate.Wait();
        Interlocked.Decrement(ref _waiting);
        if (FailsToFlush)
            throw new IOException("Input/output error");
        foreach ((byte[] text, long at) in _unflushed.GetValueOrDefault(file) ?? [])
            base.Write(file, text, at);
        _unflushed.TryRemove(file, out _);
        base.Flush(file);
        InFlush?.Invoke();
        Interlocked.Increment(ref _flushes);
    }

    public override int Read(SafeFileHandle file, Span<byte> into, long at)
    {
        if (at + into.Length <= (ReadableUpTo ?? long.MaxValue))
            return base.Read(file, into, at);
        ReadsInVain++;
        throw new IOException("Input/output error");
    }

    public override long BytesIn(string folder)
    {
        Interlocked.Increment(ref _looking);
        FolderGate.Wait();
        Interlocked.Decrement(ref _looking);
        return base.BytesIn(folder);
    }

    public override void Delete(string path)
    {
        if (FailsToDelete && File.Exists(path))
            throw new IOException("Input/output error");
        base.Delete(path);
    }

    public override void FlushNames(string folder)
    {
        if (FailsToFlushNames)
            throw new IOException("Input/output error");
        base.FlushNames(folder);
    }

    public override void SetLength(SafeFileHandle file, long length)
    {
        if (FailsToCut)
            throw new IOException("Input/output error");
        base.SetLength(file, length);
    }
}
