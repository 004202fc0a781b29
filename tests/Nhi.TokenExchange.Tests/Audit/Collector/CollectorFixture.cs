using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests;

/// <summary>A collector on loopback that keeps what it takes, and jobs that send their audit to it.</summary>
internal abstract class CollectorFixture
{
    private string _folder = "";

    protected string Spool => Path.Combine(_folder, "spool");

    protected LoggedText Log { get; private set; } = new();

    protected TakingCollector Collector { get; private set; } = null!;

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory("nhi-spool-").FullName;
        (Log, Collector) = (new LoggedText(), new TakingCollector());
    }

    [TearDown]
    public async Task RemoveFolder()
    {
        await Collector.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        Log.Dispose();
    }

    /// <summary>The files of the spool.</summary>
    protected string[] Files() => Directory.Exists(Spool) ? [.. Directory.GetFiles(Spool).Order(StringComparer.Ordinal)] : [];

    protected Task<JobSession> StartAsync(Action<AuditCollectorOptions>? options = null, Action<TokenExchangeBuilder>? more = null, TestExchanger? issuer = null, bool isEndBounded = false) => JobSession.StartAsync(b =>
    {
        b.Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload)
            .Target("warehouse", issuer ?? new TestExchanger(TimeProvider.System), t =>
            {
                t.Identity = "job";
                t.AllowedOrigins.Add(new Uri(Collector.Uri, "/"));
            })
            .AuditCollector(Collector.Uri, Spool, options).Logging(Log).Jitter(() => 0).EndOnSignals(false)
            .EndWithin(isEndBounded ? TimeSpan.FromSeconds(1) : TimeSpan.FromMinutes(5));   // a slow machine must not cut off what has to be sent at the end
        more?.Invoke(b);
    });

    /// <summary>A job that gets one credential, and ends: five events.</summary>
    protected async Task RunAsync(Action<AuditCollectorOptions>? options = null, Action<TokenExchangeBuilder>? more = null)
    {
        await using JobSession job = await StartAsync(options, more);
        await job.Provider<BearerToken>("warehouse").GetAsync();
        await job.CompleteAsync();
        await job.Released;
    }

    /// <summary>What the health check of the collector says.</summary>
    protected static async Task<HealthStatus> HealthOf(JobSession job)
    {
        var check = new AuditHealthCheck(job);
        return (await check.CheckHealthAsync(new HealthCheckContext { Registration = new HealthCheckRegistration("token-exchange-audit", check, null, null) })).Status;
    }

    /// <summary>Keeps the events of each request that it answers with a status from 200 on.</summary>
    protected sealed class TakingCollector : IAsyncDisposable
    {
        private readonly ScriptedIssuer _server;
        private readonly ConcurrentQueue<(string Key, JsonElement Event)> _taken = new();

        public TakingCollector() => _server = new ScriptedIssuer(Answered);

        public Uri Uri => new(_server.Uri, "/events");

        public IReadOnlyList<ReceivedRequest> Requests => _server.Requests;

        /// <summary>What it answers; null: 200.</summary>
        public Func<ReceivedRequest, ScriptedAnswer?>? Answer { get; set; }

        public bool IsDown { get; set; }

        /// <summary>What was taken, with the key of its request, in the order in which it came.</summary>
        public IReadOnlyList<(string Key, JsonElement Event)> Taken => [.. _taken];

        public IReadOnlyList<string> Kinds => [.. _taken.Select(one => one.Event.GetProperty("unmapped").GetProperty("kind").GetString()!)];

        public IReadOnlyList<string> Uids => [.. _taken.Select(one => one.Event.GetProperty("metadata").GetProperty("uid").GetString()!)];

        public static JsonElement[] EventsOf(ReceivedRequest request)
        {
            if (request.Headers["Content-Type"] == "application/json")
                return [.. JsonDocument.Parse(request.Body).RootElement.EnumerateArray()];
            Assert.That(request.Headers["Content-Type"], Is.EqualTo("application/x-ndjson"));
            Assert.That(request.Body, Does.EndWith("\n"));
            return [.. request.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        }

        public ValueTask DisposeAsync() => _server.DisposeAsync();

        private ScriptedAnswer Answered(ReceivedRequest request)
        {
            if (IsDown)
                return ScriptedAnswer.Status(503);
            if (Answer?.Invoke(request) is { } answer)
                return answer;
            Keep(request);
            return ScriptedAnswer.Status(200);
        }

        public void Keep(ReceivedRequest request)
        {
            foreach (JsonElement one in EventsOf(request))
                _taken.Enqueue((request.Headers["Idempotency-Key"], one));
        }
    }
}
