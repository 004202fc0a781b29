namespace Nhi.TokenExchange.Soak;

/// <summary>Measures for how long the machine stood still: by how much a thread of its own oversleeps. It needs no pool, so nothing that the product does to the pool makes it wait.</summary>
internal sealed class Stalls : IDisposable
{
    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan WorthTelling = TimeSpan.FromMilliseconds(150);

    private readonly ManualResetEventSlim _stop = new();
    private readonly SoakTime _time;
    private readonly RecordFile _records;
    private readonly Thread _thread;
    private long _overslept;

    public Stalls(SoakTime time, RecordFile records)
    {
        _time = time;
        _records = records;
        _thread = new Thread(Measure) { IsBackground = true, Name = "stalls" };
        _thread.Start();
    }

    /// <summary>All that was overslept so far, also what is not worth telling.</summary>
    public TimeSpan Overslept => new(Interlocked.Read(ref _overslept));

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Measure()
    {
        bool stopped;
        do
        {
            TimeSpan due = _time.Elapsed + Nap;
            stopped = _stop.Wait(Nap);
            TimeSpan awake = _time.Elapsed;
            if (awake <= due)
                continue;
            Interlocked.Add(ref _overslept, (awake - due).Ticks);
            if (awake - due > WorthTelling)
                _records.Add(new StallRecord(due.Ticks, awake.Ticks));
        }
        while (!stopped);
    }
}
