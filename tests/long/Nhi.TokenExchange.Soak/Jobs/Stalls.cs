namespace Nhi.TokenExchange.Soak;

/// <summary>Measures for how long the machine ran nothing of this process's pool. A wait that is longer by that is not the product's doing.</summary>
internal sealed class Stalls : IDisposable
{
    private static readonly TimeSpan WorthTelling = TimeSpan.FromMilliseconds(200);

    private readonly ManualResetEventSlim _stop = new();
    private readonly SoakTime _time;
    private readonly RecordFile _records;
    private readonly Thread _thread;

    public Stalls(SoakTime time, RecordFile records)
    {
        _time = time;
        _records = records;
        _thread = new Thread(Measure) { IsBackground = true, Name = "stalls" };
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
        while (!_stop.IsSet)
        {
            TimeSpan from = _time.Elapsed;
            ran.Reset();
            ThreadPool.QueueUserWorkItem(_ => ran.Set());
            ran.Wait();
            bool stopped = _stop.Wait(TimeSpan.FromMilliseconds(50));
            TimeSpan to = _time.Elapsed;
            if (to - from > WorthTelling)
                _records.Add(new StallRecord(from.Ticks, to.Ticks));
            if (stopped)
                return;
        }
    }
}
