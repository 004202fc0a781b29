namespace Nhi.TokenExchange.Tests.Exchange.StaticKeys;

/// <summary>One reading of a static key: what keeps it from being handed out, and how long what is handed out is kept. The vault is nothing but a function.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class StaticKeyExchangerTests : IDisposable
{
    private const string AsItIs = "Let its owner, Billing team, store the key alone, as its service wants to see it.";

    // Where the key goes by itself, and in a header, with a user before it or without.
    private static readonly (string Key, string? Alone, string? InAHeader, string? OfAUser)[] Keys =
    [
        ("k", null, null, null),
        ("", "has 0 characters; 1 to 32768 are taken", "has 0 characters; 1 to 32768 are taken", "has 0 characters; 1 to 32768 are taken"),
        (new string('k', 32_768), null, null, null),
        (new string('k', 32_769), "has 32769 characters; 1 to 32768 are taken", "has 32769 characters; 1 to 32768 are taken", "has 32769 characters; 1 to 32768 are taken"),
        ("pass word", null, OfTheHeader(4), null),
        ("key ", null, OfTheHeader(3), null),
        (" key", null, OfTheHeader(0), null),
        ("clé", null, OfTheHeader(2), null),
        ("key\n", "ends in a line break: store it without one", "ends in a line break: store it without one", "ends in a line break: store it without one"),
        ("key\r\n", "ends in a line break: store it without one", "ends in a line break: store it without one", "ends in a line break: store it without one"),
        ("a\nb\n", null, OfTheHeader(1), OfTheHeader(1)),
        ("\tkey", null, OfTheHeader(0), OfTheHeader(0)),
        ("\0key", "has a character at position 0 that no key has", "has a character at position 0 that no key has", "has a character at position 0 that no key has"),
        ("\0key\n", "has a character at position 0 that no key has", "has a character at position 0 that no key has", "has a character at position 0 that no key has"),
        ("ke\ufffdy", "has a character at position 2 that no key has", "has a character at position 2 that no key has", "has a character at position 2 that no key has"),
    ];

    private readonly ManualTimeProvider _time = new();
    private readonly HttpMessageInvoker _channel = new(new HttpClientHandler());
    private int _reads;

    private DateTimeOffset Now => _time.GetUtcNow();

    public void Dispose() => _channel.Dispose();

    // Bounds are the vault's own: usable from, and no more at. It is midnight.
    [TestCase(null, null, null)]
    [TestCase(0, 60, null)]
    [TestCase(-60, 1, null)]
    [TestCase(1, null, "is not to be used before 2026-01-01T00:00:01.0000000+00:00")]
    [TestCase(1, 60, "is not to be used before 2026-01-01T00:00:01.0000000+00:00")]
    [TestCase(null, 0, "has expired at 2026-01-01T00:00:00.0000000+00:00")]
    [TestCase(-60, -1, "has expired at 2025-12-31T23:59:59.0000000+00:00")]
    [TestCase(1, -1, "has expired at 2025-12-31T23:59:59.0000000+00:00")]
    public async Task A_key_is_handed_out_within_the_time_that_its_vault_says(int? notBefore, int? endsAt, string? said)
    {
        TokenExchanger<StaticKey> exchanger = Of(() => new StoredKey("k") { NotBefore = In(notBefore), EndsAt = In(endsAt), CorrelationId = "r-1", Version = "3" });
        if (said is not null)
        {
            TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await exchanger.ExchangeAsync(Request(), default))!;
            Assert.That((refused.Code, refused.Stage, refused.Detail, refused.Hint, refused.CorrelationId), Is.EqualTo((
                "NHI5003", ExchangeStage.Verify, $"The static key at shelf#value {said}, as the vault says; it is 2026-01-01T00:00:00.0000000+00:00 now. It is not handed out.", "Let its owner, Billing team, store the next version.", "r-1")));
            return;
        }

        Issued<StaticKey> issued = await exchanger.ExchangeAsync(Request(), default);

        Assert.That((issued.Credential.Kept.Reveal(), issued.Credential.Version, issued.CorrelationId, issued.Credential.HandOutEnd), Is.EqualTo(("k", "3", "r-1", In(endsAt) ?? Now.AddDays(90))));

        DateTimeOffset? In(int? seconds) => seconds is { } s ? Now.AddSeconds(s) : null;
    }

    [TestCase(89, 89)]
    [TestCase(90, 90)]
    [TestCase(91, 90)]
    public async Task A_key_is_handed_out_no_longer_than_its_target_says(int ofTheVault, int days) =>
        Assert.That((await Of(() => new StoredKey("k") { EndsAt = Now.AddDays(ofTheVault) }).ExchangeAsync(Request(), default)).Credential.HandOutEnd, Is.EqualTo(Now.AddDays(days)));

    [Test]
    public void After_its_time_the_vault_is_not_asked_and_a_key_that_came_too_late_is_not_handed_out()
    {
        TokenExchanger<StaticKey> over = Of(() => new StoredKey("k"), TimeSpan.Zero);
        TokenExchanger<StaticKey> slow = Of(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return new StoredKey("k");
            },
            TimeSpan.FromSeconds(1));

        TokenExchangeException past = Assert.ThrowsAsync<TokenExchangeException>(async () => await over.ExchangeAsync(Request(), default))!;
        Assert.That((past.Code, past.Stage, past.Detail, past.Hint, _reads), Is.EqualTo((
            "NHI3004", ExchangeStage.Authorize, "The static key at shelf#value was permitted until 2026-01-01T00:00:00.0000000+00:00, which is past. It is not read.",
            "Reach the service without a static key; else its owner, Billing team, has to agree to a later Until, in the target's settings.", 0)));
        TokenExchangeException late = Assert.ThrowsAsync<TokenExchangeException>(async () => await slow.ExchangeAsync(Request(), default))!;
        Assert.That((late.Code, _reads), Is.EqualTo(("NHI3004", 1)));
    }

    [Test]
    public async Task A_key_is_taken_as_its_place_takes_it_and_none_is_quoted()
    {
        StaticKeyHeader bare = Header(scheme: "Bearer"), ofAUser = Header(scheme: "Basic", user: "loader");
        using (Assert.EnterMultipleScope())
        {
            foreach ((string key, string? alone, string? inAHeader, string? withAUser) in Keys)
            {
                Assert.That(await FaultAsync(key, null), Is.EqualTo(alone), $"alone {key.Length}");
                Assert.That(await FaultAsync(key, bare), Is.EqualTo(inAHeader), $"header {key.Length}");
                Assert.That(await FaultAsync(key, ofAUser), Is.EqualTo(withAUser), $"user {key.Length}");
            }
        }
    }

    [Test]
    public async Task A_key_is_kept_for_a_grace_after_its_fifteen_minutes_and_its_timer_goes_with_it()
    {
        StaticKey key = (await Of(() => new StoredKey("k")).ExchangeAsync(Request(), default)).Credential;
        StaticKey dropped = (await Of(() => new StoredKey("l")).ExchangeAsync(Request(), default)).Credential;
        Assert.That(_time.PendingTimers, Is.EqualTo(2));
        dropped.Kept.LetGo();
        Assert.That((_time.PendingTimers, dropped.Kept.Reveal()), Is.EqualTo((1, (string?)null)));

        _time.Advance(TimeSpan.FromMinutes(15) + TimeSpan.FromSeconds(9));
        Assert.That(key.Kept.Reveal(), Is.EqualTo("k"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That((key.Kept.Reveal(), _time.PendingTimers), Is.EqualTo(((string?)null, 0)));
    }

    [Test]
    public void The_timer_of_a_kept_key_is_of_nobodys_flight_and_who_had_his_flow_has_it_again()
    {
        var timers = new NotedTimers();
        _ = new KeptKey("k", timers);
        Assert.That((timers.WithoutFlow, ExecutionContext.IsFlowSuppressed()), Is.EqualTo((1, false)));
        using (ExecutionContext.SuppressFlow())
        {
            _ = new KeptKey("k", timers);
            Assert.That((timers.WithoutFlow, ExecutionContext.IsFlowSuppressed()), Is.EqualTo((2, true)));
        }
        Assert.That(ExecutionContext.IsFlowSuppressed(), Is.False);
    }

    [TestCase(null, "shelf#value, of Billing team, until 2026-04-01T00:00:00Z")]
    [TestCase("3", "shelf#value, version 3, of Billing team, until 2026-04-01T00:00:00Z")]
    public void What_a_policy_is_told_of_a_key_is_one_line(string? version, string line) =>
        Assert.That($"{new StaticKeyUse { Owner = "Billing team", Until = Now.AddDays(90), Secret = "shelf#value", Version = version }}", Is.EqualTo(line));

    private async Task<string?> FaultAsync(string key, StaticKeyHeader? header)
    {
        try
        {
            Issued<StaticKey> issued = await Of(() => new StoredKey(key) { CorrelationId = "r-1" }, header: header).ExchangeAsync(Request(), default);
            Assert.That(issued.Credential.Kept.Reveal(), Is.EqualTo(key));
            return null;
        }
        catch (TokenExchangeException refused)
        {
            const string Before = "The static key at shelf#value ", After = ". It is not handed out.";
            Assert.That((refused.Code, refused.Stage, refused.Hint, refused.CorrelationId), Is.EqualTo(("NHI5009", ExchangeStage.Verify, AsItIs, "r-1")));
            Assert.That(refused.Detail, Does.StartWith(Before).And.EndWith(After));
            return refused.Detail[Before.Length..^After.Length];
        }
    }

    private static string OfTheHeader(int position) => FormattableString.Invariant($"has a character at position {position} that the header Authorization may not have: visible ASCII alone goes into it");

    private static StaticKeyHeader Header(string scheme, string? user = null) => StaticKeyHeader.Of(new StaticKeyHeaderOptions { Name = "Authorization", Scheme = scheme, User = user })!;

    private StaticKeyExchanger Of(Func<StoredKey> read, TimeSpan? left = null, StaticKeyHeader? header = null) => new(
        new Shelf(() =>
        {
            _reads++;
            return read();
        }),
        "Billing team", Now + (left ?? TimeSpan.FromDays(90)), header);

    private ExchangeRequest Request() => new()
    {
        Target = "billing", Subject = new SubjectToken("words-that-prove-a-login", SubjectTokenType.AccessToken), MaxLifetime = TimeSpan.FromHours(1), Job = new JobContext(), Backchannel = _channel, Time = _time,
    };

    private sealed class Shelf(Func<StoredKey> read) : IKeyStore
    {
        public Uri Issuer { get; } = new("https://vault.test/");

        public string Secret => "shelf#value";

        public string HopRemedy => "Name another";

        public string? FlawOfHop(TokenExchanger? hop, ScopeSet scopes) => null;

        public Task<StoredKey> ReadAsync(ExchangeRequest request, CancellationToken cancellationToken) => Task.FromResult(read());
    }

    private sealed class NotedTimers : TimeProvider
    {
        public int WithoutFlow { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            WithoutFlow += ExecutionContext.IsFlowSuppressed() ? 1 : 0;
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }
}
