using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Callers that collide. C3, C4, C6, C9 and C11 are with the units that they are about.</summary>
internal sealed class ConcurrencyFaultTests
{
    [Test]
    public async Task C1_Five_thousand_cold_callers_are_one_request()
    {
        await using EmulatedJob job = await EmulatedJob.StartAsync();
        HeldRequest held = job.Emulator.Faults.HoldNext(EmulatorEndpoint.AuthorizationToken);

        Task<BearerToken>[] asking = [.. Enumerable.Range(0, 5_000).Select(_ => Task.Run(() => job.Warehouse.GetAsync().AsTask()))];
        await held.Reached;
        held.Release();
        BearerToken[] got = await Task.WhenAll(asking);

        Assert.That(got.Distinct().Count(), Is.EqualTo(1));
        Assert.That(job.Exchanges, Is.EqualTo(1));
    }

    [TestCase("the starter", 1)]
    [TestCase("all", 5)]
    [TestCase("the last", 1)]
    public async Task C2_Whoever_gives_up_the_flight_goes_on_and_what_it_brings_is_there_for_the_next(string who, int givingUp)
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Gate = new Gate());
        using var impatience = new CancellationTokenSource();
        var asking = new List<Task<BearerToken>>();
        for (int caller = 0; caller < 5; caller++)
        {
            bool givesUp = who == "all" || (who == "the starter" && caller == 0) || (who == "the last" && caller == 4);
            asking.Add(job.Warehouse.GetAsync(givesUp ? impatience.Token : CancellationToken.None).AsTask());
            await job.Issuer.Gate!.Reached;
        }

        await impatience.CancelAsync();
        job.Issuer.Gate!.Open();
        foreach (Task<BearerToken> one in asking)
            await ((Task)one).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        Assert.That(asking.Count(one => one.IsCanceled), Is.EqualTo(givingUp));
        BearerToken issued = await job.Warehouse.GetAsync();
        Assert.That(issued, Is.SameAs(job.Issuer.Issued.Single()));
        foreach (Task<BearerToken> patient in asking.Where(one => one.IsCompletedSuccessfully))
            Assert.That(await patient, Is.SameAs(issued));
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task C5_A_refresh_a_rejection_and_the_end_of_the_life_at_once_are_one_exchange_and_the_newest_stays()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();
        job.Issuer.Gate = new Gate();
        job.Time.Advance(old.UnusableFrom - job.Time.GetUtcNow() - TimeSpan.FromSeconds(20));
        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(old));   // the refresh departs
        await job.Issuer.Gate.Reached;

        job.Warehouse.Reject(old);
        Task<BearerToken>[] rejected = [.. Enumerable.Range(0, 10).Select(_ => job.Warehouse.GetAsync().AsTask())];
        job.Time.Advance(TimeSpan.FromSeconds(30));
        Task<BearerToken>[] late = [.. Enumerable.Range(0, 10).Select(_ => job.Warehouse.GetAsync().AsTask())];
        job.Issuer.Gate.Open();
        BearerToken[] got = await Task.WhenAll(rejected.Concat(late));
        job.Warehouse.Reject(old);

        Assert.That(got.Distinct().Count(), Is.EqualTo(1));
        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(got[0]).And.Not.SameAs(old));
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task C7_The_end_of_a_life_is_seen_though_no_thread_of_the_pool_is_free()
    {
        (string said, int exitCode) = await ChildProcess.RunAsync("starved pool", ("DOTNET_PROCESSOR_COUNT", "2"));

        Assert.That(said, Does.Contain("good before True, good after False").And.Contain("renewed"), said);
        Assert.That(exitCode, Is.Zero);
    }

    [Test]
    public async Task C8_Synchronous_callers_on_every_thread_of_the_pool_do_not_lock_it()
    {
        (string said, int exitCode) = await ChildProcess.RunAsync("sync callers of the pool", ("DOTNET_PROCESSOR_COUNT", "2"));

        Assert.That(said, Does.Contain("served 24 with 1 exchange"), said);
        Assert.That(exitCode, Is.Zero);
    }

    [Test]
    public async Task C10_A_log_that_throws_breaks_no_flight()
    {
        using ILoggerFactory throwing = LoggerFactory.Create(b => b.SetMinimumLevel(LogLevel.Trace).AddProvider(new ThrowingLog()));
        await using TestJob job = await TestJob.StartAsync(more: b => b.Logging(throwing));
        BearerToken first = await job.Warehouse.GetAsync();
        job.Warehouse.Reject(first);

        Assert.That(await job.Warehouse.GetAsync(), Is.Not.SameAs(first));
        JobReport report = await job.Session.CompleteAsync();
        Assert.That(report.AllEnded);
    }

    [Test]
    public async Task C10_A_sink_that_throws_for_one_target_breaks_no_flight_of_another()
    {
        TestExchanger issuer = null!;
        await using TestJob job = await TestJob.StartAsync(i => issuer = i, more: b => b.Target("lake", issuer, "job", "read"));
        job.Audit.Refuse = e => e.Target == "warehouse" ? new InvalidOperationException("sink") : null;
        Task<BearerToken> refused = job.Warehouse.GetAsync().AsTask();

        Assert.That(() => refused, Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo(ErrorCodes.NotRecorded));
        Assert.That(await job.Session.Provider<BearerToken>("lake").GetAsync(), Is.Not.Null);
        job.Audit.Refuse = null;
        job.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(await job.Warehouse.GetAsync(), Is.Not.Null);
    }

    [Test]
    public async Task C10_A_continuation_that_throws_breaks_no_other_caller()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Gate = new Gate());
        Task[] throwing = [.. Enumerable.Range(0, 10).Select(_ => ThrowAsync(job.Warehouse.GetAsync()))];
        Task<BearerToken>[] others = [.. Enumerable.Range(0, 10).Select(_ => job.Warehouse.GetAsync().AsTask())];
        await job.Issuer.Gate!.Reached;
        job.Issuer.Gate.Open();

        BearerToken[] got = await Task.WhenAll(others);

        Assert.That((got.Distinct().Count(), job.Issuer.Requests.Count), Is.EqualTo((1, 1)));
        foreach (Task one in throwing)
            Assert.That(() => one, Throws.InvalidOperationException);
    }

    [Test]
    [Platform(Include = "Linux", Reason = "Looks into /proc.")]
    public async Task C12_A_child_process_gets_no_token_and_no_connection()
    {
        await using EmulatedJob job = await EmulatedJob.StartAsync();
        BearerToken token = await job.Warehouse.GetAsync();
        Assert.That(await job.ReadAsync(), Is.EqualTo(200));

        var start = new ProcessStartInfo("sh", ["-c", "tr '\\0' '\\n' < /proc/self/environ; ls -l /proc/self/fd; cat /proc/$PPID/cmdline"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process child = Process.Start(start)!;
        string said = await child.StandardOutput.ReadToEndAsync();
        await child.WaitForExitAsync();

        Assert.That(said, Does.Contain("PATH=").And.Contain("pipe:"));
        Assert.That(said, Does.Not.Contain(token.Reveal()).And.Not.Contain(job.Emulator.Canaries.Authorization).And.Not.Contain(job.Emulator.Canaries.Proof).And.Not.Contain("socket:"));
    }

    private static async Task ThrowAsync(ValueTask<BearerToken> asking)
    {
        await asking;
        throw new InvalidOperationException("the caller's own");
    }

    private sealed class ThrowingLog : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => throw new InvalidOperationException("log");

        public bool IsEnabled(LogLevel logLevel) => throw new InvalidOperationException("log");

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => throw new InvalidOperationException("log");

        public void Dispose()
        {
        }
    }
}
