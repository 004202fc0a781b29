using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tests;

/// <summary>Disks that hang, sinks and logs that block who calls them: the thread pool, which all exchanges need, is not what pays for it.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class SlowDisksTests : AuditFolderFixture
{
    private const int Sinks = 64;

    [Test]
    public async Task P57_Chains_whose_disk_hangs_hold_no_thread_of_the_pool()
    {
        AuditFileSink[] sinks = [.. Enumerable.Range(0, Sinks).Select(i => Start(job: new JobContext { Pipeline = $"p{i}" }))];
        _ = Disk.Shut();
        Task[] writing = [.. sinks.Select(sink => WriteAsync(sink, "warehouse").AsTask())];
        await Eventually.HoldsAsync(() => Disk.Waiting == Sinks, "each stands before the disk");

        await Task.Run(() => { });   // the pool has a thread yet
        Assert.That(writing.Any(one => one.IsCompleted), Is.False);
        Assert.That(Disk.PoolThreadsHeld, Is.Zero);

        Disk.Gate.Set();
        await Task.WhenAll(writing);
        await Task.WhenAll(sinks.Select(sink => sink.EndAsync()));
    }

    [Test]
    public async Task P57_A_sink_of_best_effort_that_blocks_who_calls_it_holds_none_either()
    {
        using var blocked = new ManualResetEventSlim();
        bool? isOfThePool = null;
        var sink = new RecordingSink
        {
            Refuse = _ =>
            {
                isOfThePool ??= Thread.CurrentThread.IsThreadPoolThread;
                blocked.Wait();
                return null;
            },
        };
        await using TestJob job = await TestJob.StartAsync(more: b => b.AuditBestEffort(sink));
        await job.Warehouse.GetAsync();
        await Eventually.HoldsAsync(() => isOfThePool is not null, "it is called");
        blocked.Set();
        await job.Session.CompleteAsync();
        Assert.That(isOfThePool, Is.False);
    }

    [Test]
    public async Task A_log_that_blocks_who_calls_it_keeps_nothing_from_being_recorded()
    {
        using var blocked = new ManualResetEventSlim();
        using var log = new BlockingLog(blocked);
        try
        {
            AuditFileSink sink = AuditFileSink.Start(new AuditFolderPlan(Folder, true, 64 << 20, 1, Disk), Job, Time, log);
            await WriteAsync(sink, "first").AsTask().WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System);
            Disk.Room = 0;
            Assert.That((await RefusedAsync(WriteAsync(sink, "lost")).WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System)).Message, Is.EqualTo("No space left on device"));
            Disk.Room = null;
            await WriteAsync(sink, "second").AsTask().WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System);
            blocked.Set();
            await sink.EndAsync();
            Assert.That(Targets(FollowChain(Files())), Is.EqualTo(new[] { "first", "second" }));
        }
        finally
        {
            blocked.Set();
        }
    }

    private sealed class BlockingLog(ManualResetEventSlim until) : Microsoft.Extensions.Logging.ILogger, IDisposable
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(Microsoft.Extensions.Logging.LogLevel logLevel) => true;

        public void Log<TState>(Microsoft.Extensions.Logging.LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => until.Wait();

        public void Dispose()
        {
        }
    }
}
