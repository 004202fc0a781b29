namespace Nhi.TokenExchange.Soak;

/// <summary>Measures for how long work waits for a thread of the pool, beside what the machine stood still meanwhile.</summary>
internal sealed class PoolWatch : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan WorthTelling = TimeSpan.FromMilliseconds(200);

    private readonly ManualResetEventSlim _stop = new();
    private readonly SoakTime _time;
    private readonly Stalls _stalls;
    private readonly RecordFile _records;
    private readonly Thread _thread;

    public PoolWatch(SoakTime time, Stalls stalls, RecordFile records)
    {
        _time = time;
        _stalls = stalls;
        _records = records;
        _thread = new Thread(Measure) { IsBackground = true, Name = "pool watch" };
        _thread.Start();
    }

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Measure()
    {
        using var ran = new ManualResetEventSlim();
        bool stopped;
        do
        {
            TimeSpan overslept = _stalls.Overslept;
            TimeSpan from = _time.Elapsed;
            TimeSpan to = default;
            ran.Reset();
            ThreadPool.QueueUserWorkItem(_ =>
            {
                to = _time.Elapsed;
                ran.Set();
            });
            ran.Wait();
            // After the pause the other thread, which wakes from a stall at the same time as the pool, has counted it.
            stopped = _stop.Wait(Pause);
            if (to - from > WorthTelling)
                _records.Add(new PoolWaitRecord(from.Ticks, to.Ticks, (_stalls.Overslept - overslept).Ticks));
        }
        while (!stopped);
    }
}
