using System.Net;
using Nhi.TokenExchange;

/// <summary>What would disturb other tests: a pool of two threads, another time zone.</summary>
internal static class ChildFaults
{
    private static readonly Uri Api = new("https://issuer.test/rows");

    /// <summary>Finds the fault of that name; null: it is none.</summary>
    public static Func<Task>? Find(string name) => name switch
    {
        "sync callers" => SynchronousCallersAsync,
        "sync callers of the pool" => SynchronousCallersOfThePoolAsync,
        "starved pool" => StarvedPoolAsync,
        "time zone" => TimeZoneAsync,
        _ => null,
    };

    // A hundred threads of their own, and one with a context that runs everything on itself; the exchange needs the pool, which has two threads.
    private static async Task SynchronousCallersAsync()
    {
        LimitPool();
        var issuer = new SlowIssuer();
        await using JobSession job = await StartAsync(issuer, TimeProvider.System);
        using var http = new HttpClient(job.CreateHandler("api", new AlwaysOk()));
        int served = 0;
        bool isOwnThread = false;
        Thread[] threads = [.. Enumerable.Range(0, 100).Select(_ => new Thread(() => Send(http, ref served)))];
        var ui = new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new NeverPumped());
            int here = Environment.CurrentManagedThreadId;
            Send(http, ref served);
            isOwnThread = Environment.CurrentManagedThreadId == here;
        });
        foreach (Thread thread in (Thread[])[.. threads, ui])
            thread.Start();
        foreach (Thread thread in (Thread[])[.. threads, ui])
            thread.Join();
        Console.WriteLine($"served {served} with {issuer.Asked} exchange{(isOwnThread ? ", on the context's own thread" : "")}");
    }

    private static async Task SynchronousCallersOfThePoolAsync()
    {
        ThreadPool.SetMinThreads(2, 2);
        var issuer = new SlowIssuer();
        await using JobSession job = await StartAsync(issuer, TimeProvider.System);
        using var http = new HttpClient(job.CreateHandler("api", new AlwaysOk()));
        int served = 0;
        await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => Task.Run(() => Send(http, ref served))));
        Console.WriteLine($"served {served} with {issuer.Asked} exchange");
    }

    private static async Task StarvedPoolAsync()
    {
        LimitPool();
        var time = new ManualTimeProvider();
        await using JobSession job = await StartAsync(new SlowIssuer(), time);
        CredentialProvider<BearerToken> provider = job.Provider<BearerToken>("api");
        await provider.GetAsync();
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            using var blocked = new CountdownEvent(2);
            using var release = new ManualResetEventSlim();
            for (int thread = 0; thread < 2; thread++)
            {
                ThreadPool.QueueUserWorkItem(_ =>
                {
                    blocked.Signal();
                    release.Wait();
                });
            }
            blocked.Wait();
            bool before = provider.TryGet(out BearerToken? _);
            time.Advance(TimeSpan.FromHours(1));
            bool after = provider.TryGet(out BearerToken? _);
            Console.WriteLine($"good before {before}, good after {after}");
            release.Set();
            seen.SetResult();
        }).Start();
        await seen.Task;
        Console.WriteLine(await provider.GetAsync() is not null ? "renewed" : "");
    }

    // The night of a change to summer time: what is printed must be the same in each zone.
    private static async Task TimeZoneAsync()
    {
        var time = new ManualTimeProvider(new DateTimeOffset(2026, 3, 29, 0, 30, 0, TimeSpan.Zero));
        await using JobSession job = await StartAsync(new SlowIssuer(), time);
        CredentialProvider<BearerToken> provider = job.Provider<BearerToken>("api");
        BearerToken token = await provider.GetAsync();
        time.Advance(TimeSpan.FromMinutes(39));
        bool isGood = provider.TryGet(out BearerToken? _);
        time.Advance(TimeSpan.FromMinutes(21));
        Console.WriteLine(FormattableString.Invariant($"{TimeZoneInfo.Local.GetUtcOffset(time.GetUtcNow())}|{token.UnusableFrom:O} {token.RefreshAt:O} {isGood} {provider.TryGet(out BearerToken? _)} {token.ToString().Split("ends")[1]}"));
    }

    private static void LimitPool()
    {
        // The parent says DOTNET_PROCESSOR_COUNT=2: fewer threads than processors are not to be had.
        if (!ThreadPool.SetMinThreads(2, 2) || !ThreadPool.SetMaxThreads(2, 2))
            throw new InvalidOperationException("The pool was not limited.");
    }

    private static void Send(HttpClient http, ref int served)
    {
        using var get = new HttpRequestMessage(HttpMethod.Get, Api);
        using HttpResponseMessage response = http.Send(get);
        if (response.IsSuccessStatusCode)
            Interlocked.Increment(ref served);
    }

    private static Task<JobSession> StartAsync(TokenExchanger<BearerToken> issuer, TimeProvider time) => JobSession.StartAsync(b => b
        .Identity("job", IdentitySources.From((_, _) => new ValueTask<SubjectToken>(new SubjectToken("opaque-proof", SubjectTokenType.AccessToken))), ActsFor.Workload)
        .Target("api", issuer, "job").Time(time).Jitter(() => 0));

    private sealed class SlowIssuer : TokenExchanger<BearerToken>
    {
        private int _asked;

        public int Asked => _asked;

        public override Uri Issuer { get; } = new("https://issuer.test/");

        public override Audience SubjectAudience { get; } = new("https://issuer.test/");

        public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _asked);
            for (int step = 0; step < 100; step++)
                await Task.Yield();
            return new Issued<BearerToken>(new BearerToken("child-token", request.Time.GetUtcNow().AddHours(1)));
        }
    }

    private sealed class AlwaysOk : HttpMessageHandler
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) => new(HttpStatusCode.OK);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(Send(request, cancellationToken));
    }

    // What is posted to it would wait for the thread that waits: as in a window's own thread.
    private sealed class NeverPumped : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => throw new InvalidOperationException("The context was captured.");

        public override void Send(SendOrPostCallback d, object? state) => throw new InvalidOperationException("The context was captured.");
    }
}
