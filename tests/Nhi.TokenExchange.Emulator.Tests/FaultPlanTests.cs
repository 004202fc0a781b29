using System.Globalization;
using System.Net;

namespace Nhi.TokenExchange;

[TestFixture]
internal sealed class FaultPlanTests : EmulatorFixture
{
    private const EmulatorEndpoint Token = EmulatorEndpoint.AuthorizationToken;

    [Test]
    public async Task A_status_comes_with_its_headers_and_nothing_is_issued()
    {
        Emulator.Faults.Next(Token, Fault.Status(429, ("Retry-After", "7")));
        RawAnswer answer = await ExchangeAsync(Job.Mint(Audience));
        Assert.That(((int)answer.Status, answer.Header("Retry-After")), Is.EqualTo((429, "7")));
        Assert.That(Emulator.Ledger.Issued, Is.Empty);
        Assert.That((await ExchangeAsync(Job.Mint(Audience))).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_numbered_fault_meets_that_request_and_queued_ones_follow_each_other()
    {
        Emulator.Faults.At(Token, 3, Fault.Status(503));
        Emulator.Faults.Next(Token, Fault.Status(500));
        Emulator.Faults.Next(Token, Fault.Error("invalid_grant"));
        List<int> seen = [];
        for (int i = 0; i < 4; i++)
            seen.Add((int)(await ExchangeAsync(Job.Mint(Audience))).Status);
        Assert.That(seen, Is.EqualTo(new[] { 500, 400, 503, 200 }));
        Assert.That(Emulator.Faults.Applied.Select(a => a.RequestNumber), Is.EqualTo(new[] { 1, 2, 3 }));
    }

    [Test]
    public async Task The_same_seed_gives_the_same_faults()
    {
        async Task<string> RunAsync(int seed)
        {
            await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.Seed = seed);
            emulator.Faults.WithProbability(EmulatorEndpoint.OidcDiscovery, 0.3, Fault.Status(503));
            string seen = "";
            for (int i = 0; i < 40; i++)
                seen += (await Raw.GetAsync(new Uri(emulator.Issuer + "/.well-known/openid-configuration"))).Status == HttpStatusCode.OK ? '.' : 'x';
            return seen;
        }

        string first = await RunAsync(7);
        Assert.That(await RunAsync(7), Is.EqualTo(first));
        Assert.That(await RunAsync(8), Is.Not.EqualTo(first));
        Assert.That(first.Count(c => c == 'x'), Is.InRange(4, 20));
    }

    [TestCase(HoldPoint.BeforeWork, 0)]
    [TestCase(HoldPoint.BeforeAnswer, 1)]
    public async Task A_held_request_stands_until_released(HoldPoint point, int issued)
    {
        HeldRequest held = Emulator.Faults.HoldNext(Token, point);
        Task<RawAnswer> waiting = ExchangeAsync(Job.Mint(Audience));
        await held.Reached;
        Assert.That(Emulator.Ledger.Issued, Has.Count.EqualTo(issued));
        Assert.That((await ExchangeAsync(Job.Mint(Audience))).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(waiting.IsCompleted, Is.False);
        Assert.That((Emulator.Ledger.MaxConcurrentExchanges, Emulator.Ledger.MaxConcurrentExchangesPerKey), Is.EqualTo((2, 2)));
        held.Release();
        Assert.That((await waiting).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Requests_for_different_scopes_are_different_keys()
    {
        HeldRequest held = Emulator.Faults.HoldNext(Token);
        Task<RawAnswer> waiting = ExchangeAsync(Job.Mint(Audience), ("scope", "dataset:orders"));
        await held.Reached;
        await ExchangeAsync(Job.Mint(Audience), ("scope", "dataset:customers"));
        Emulator.Faults.Clear();
        await waiting;
        Assert.That((Emulator.Ledger.MaxConcurrentExchanges, Emulator.Ledger.MaxConcurrentExchangesPerKey), Is.EqualTo((2, 1)));
    }

    [Test]
    public async Task A_delay_runs_on_the_emulators_clock()
    {
        Emulator.Faults.Next(Token, Fault.Delay(TimeSpan.FromSeconds(30)));
        Task<RawAnswer> waiting = ExchangeAsync(Job.Mint(Audience));
        await UntilTimerAsync();
        Assert.That(waiting.IsCompleted, Is.False);
        Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.That((await waiting).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [TestCase(false, 0)]
    [TestCase(true, 1)]
    public void A_reset_breaks_the_call_before_or_after_the_work(bool after, int issued)
    {
        Emulator.Faults.Next(Token, after ? Fault.ResetAfterWork() : Fault.Reset());
        Assert.That(() => ExchangeAsync(Job.Mint(Audience)), Throws.InstanceOf<HttpRequestException>());
        Assert.That(Emulator.Ledger.Issued, Has.Count.EqualTo(issued));
    }

    [Test]
    public void A_truncated_body_breaks_the_call()
    {
        Emulator.Faults.Next(Token, Fault.Truncate(10));
        Assert.That(() => ExchangeAsync(Job.Mint(Audience)), Throws.InstanceOf<HttpRequestException>());
    }

    [Test]
    public async Task A_dripping_body_comes_byte_by_byte()
    {
        Emulator.Faults.Next(Token, Fault.Drip(TimeSpan.FromSeconds(1)));
        Task<RawAnswer> waiting = ExchangeAsync(Job.Mint(Audience));
        int bytes = 0;
        await Eventually.HoldsAsync(
            () =>
            {
                if (Clock.PendingTimers > 0)
                {
                    Clock.Advance(TimeSpan.FromSeconds(1));
                    bytes++;
                }
                return waiting.IsCompleted;
            },
            "the last byte of the body");

        Assert.That(bytes, Is.EqualTo((await waiting).Body.Length));
    }

    [Test]
    public async Task Html_garbage_and_huge_bodies_come_as_planned()
    {
        Emulator.Faults.Next(Token, Fault.Html());
        Emulator.Faults.Next(Token, Fault.Garbage());
        Emulator.Faults.Next(Token, Fault.Huge(3_000_000));
        Assert.That((await ExchangeAsync(Job.Mint(Audience))).ContentType?.MediaType, Is.EqualTo("text/html"));
        Assert.That((await ExchangeAsync(Job.Mint(Audience))).Body, Does.Contain("garbage"));
        Assert.That((await ExchangeAsync(Job.Mint(Audience))).Body, Has.Length.GreaterThan(3_000_000));
        Assert.That(Emulator.Ledger.Issued, Is.Empty);
    }

    [Test]
    public async Task A_wider_scope_is_really_granted_and_in_the_ledger()
    {
        Emulator.Faults.Next(Token, Fault.WiderScope("sql"));
        RawAnswer answer = await ExchangeAsync(Job.Mint(Audience), ("scope", "dataset:orders"));
        Assert.That(answer.Text("scope"), Is.EqualTo("dataset:orders sql"));
        Assert.That(Emulator.Ledger.Issued.Single().Scope, Is.EqualTo("dataset:orders sql"));
    }

    [TestCase("0")]
    [TestCase("-1")]
    [TestCase("1e400")]
    [TestCase("\"3600\"")]
    public async Task Fields_can_be_bent(string expiresIn)
    {
        Emulator.Faults.Next(Token, Fault.ExpiresIn(expiresIn));
        Emulator.Faults.At(Token, 1, Fault.TokenType("mac"));
        Emulator.Faults.At(Token, 1, Fault.Without("issued_token_type"));
        RawAnswer answer = await ExchangeAsync(Job.Mint(Audience));
        Assert.That(answer.Json.GetProperty("expires_in").GetRawText(), Is.EqualTo(expiresIn));
        Assert.That(answer.Text("token_type"), Is.EqualTo("mac"));
        Assert.That(answer.Json.TryGetProperty("issued_token_type", out _), Is.False);
        Assert.That(Emulator.Ledger.Issued.Single().EndsAt, Is.EqualTo(Clock.GetUtcNow().AddHours(1)));
    }

    [Test]
    public async Task A_redirect_and_a_header_come_as_planned()
    {
        Emulator.Faults.Next(Token, Fault.Redirect(new Uri("http://169.254.169.254/"), 308));
        Emulator.Faults.Next(Token, Fault.Header("Date", "Thu, 01 Jan 2026 03:00:00 GMT"));
        RawAnswer answer = await ExchangeAsync(Job.Mint(Audience));
        Assert.That(((int)answer.Status, answer.Header("Location")), Is.EqualTo((308, "http://169.254.169.254/")));
        Assert.That((await ExchangeAsync(Job.Mint(Audience))).Headers.Date, Is.EqualTo(Clock.GetUtcNow().AddHours(3)));
    }

    [Test]
    public async Task The_date_header_is_the_emulators_clock() =>
        Assert.That((await ExchangeAsync(Job.Mint(Audience))).Header("Date"), Is.EqualTo(Clock.GetUtcNow().ToString("r", CultureInfo.InvariantCulture)));

    private Task UntilTimerAsync() => Eventually.HoldsAsync(() => Clock.PendingTimers > 0, "an answer that waits on the emulator's clock");
}
