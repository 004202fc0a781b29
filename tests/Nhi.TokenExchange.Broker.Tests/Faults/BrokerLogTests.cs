using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Tests;

/// <summary>A log that hangs in each line, or throws: what a broker does beside its lines goes on.</summary>
internal sealed class BrokerLogTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Test]
    public async Task P57_While_the_log_hangs_a_process_that_is_killed_takes_along_what_it_got_and_the_broker_stops()
    {
        using var hanging = new LeveledLog(LogLevel.Debug);
        try
        {
            await KilledAndStoppedAsync(hanging, () => hanging.Gate.Reset());
        }
        finally
        {
            hanging.Gate.Set();
        }
        await Eventually.HoldsAsync(() => hanging.Text.Contains("The broker stopped", StringComparison.Ordinal), "what was to be said, said late", Patience);
        Assert.That(hanging.Text, Does.Contain("its process is gone"));
    }

    [Test]
    public async Task P57_Where_the_log_throws_a_process_that_is_killed_takes_along_what_it_got_and_the_broker_stops()
    {
        using var throwing = new ThrowingLog();
        await KilledAndStoppedAsync(throwing, () => throwing.Throws = true);
    }

    [Test]
    public async Task P57_While_the_log_hangs_refusals_are_answered()
    {
        using var hanging = new LeveledLog(LogLevel.Debug);
        await using BrokerJob job = await BrokerJob.StartAsync(options: o => o.Logging = hanging);
        using HttpClient http = job.NewClient();
        hanging.Gate.Reset();
        try
        {
            (int Status, System.Text.Json.Nodes.JsonObject _)[] answers = await Task.WhenAll(Enumerable.Range(0, 90).Select(_ => http.PostAsync("oauth2/token", OAuthCalls.Exchange("wrong")))).WaitAsync(Patience, TimeProvider.System);

            Assert.That(answers.Select(answer => answer.Status), Is.All.EqualTo(400));
            Assert.That(hanging.HeldOfThePool, Is.Zero);
        }
        finally
        {
            hanging.Gate.Set();
        }
    }

    private static async Task KilledAndStoppedAsync(ILoggerFactory log, Action breakIt)
    {
        await using BrokerJob job = await BrokerJob.StartAsync(options: o => o.Logging = log);
        using HttpClient http = job.NewClient();
        BrokerClient client = job.Broker.Admit("sleeper");
        using var process = Process.Start("sleep", "600");
        client.BindTo(process.Id);
        string its = await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(client))), rest = await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment)));
        breakIt();

        process.Kill();
        await Eventually.HoldsAsync(() => !job.IsAlive(its), "what the killed process got is ended", Patience);
        await job.Broker.DrainAsync().WaitAsync(Patience, TimeProvider.System);

        Assert.That(job.IsAlive(rest), Is.False);
    }

    private sealed class ThrowingLog : ILoggerFactory, ILogger
    {
        public bool Throws { get; set; }

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => Throws ? throw new InvalidOperationException("planted") : true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (Throws)
                throw new InvalidOperationException("planted");
        }

        public void Dispose()
        {
        }
    }
}
