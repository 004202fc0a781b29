namespace Nhi.TokenExchange.Tests.Exchange.StaticKeys;

/// <summary>An opener that was registered when the job was composed is handed the key, and nobody else.</summary>
internal sealed class StaticKeyOpenerTests
{
    private static readonly Func<string, CancellationToken, ValueTask<Connection>> Open = (key, _) => new(new Connection(key));

    [Test]
    public async Task Job_code_gets_the_connection_that_was_opened_with_the_key()
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(configure: o => o.Header.Name = null, more: b => b.Opener("billing", Open));
        using Connection one = await job.Session.OpenAsync<Connection>("billing");
        using Connection two = await job.Session.OpenAsync<Connection>("billing");

        Assert.That(one.IsOf(job.Key) && two.IsOf(job.Key));
        Assert.That(job.Reads, Is.EqualTo(1));
        Assert.That(() => job.Session.CreateStaticKeyHandler("billing"), Throws.TypeOf<TokenExchangeException>().With.Message.Contains("names no header"));
    }

    [Test]
    public async Task Another_connection_than_the_registered_or_none_is_refused_with_what_there_is()
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(more: b => b.Opener("billing", Open));

        Assert.That(() => job.Session.OpenAsync<Stream>("billing"), Throws.TypeOf<TokenExchangeException>().With.Message.Contains("gives Connection, not Stream"));
        Assert.That(() => job.Session.OpenAsync<Connection>("vault"), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI1004"));
    }

    [Test]
    public async Task What_a_failing_opener_says_of_the_key_is_not_repeated()
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(more: b => b.Opener<Connection>("billing", (key, _) => throw new InvalidOperationException($"cannot log in with {key}") { Data = { ["key"] = key } }));

        TokenExchangeException failed = Assert.ThrowsAsync<TokenExchangeException>(() => job.Session.OpenAsync<Connection>("billing"))!;

        Assert.That((failed.Code, failed.Target, failed.IsTransient), Is.EqualTo(("NHI8005", "billing", false)));
        Assert.That(failed.ToString(), Does.Contain("InvalidOperationException").And.Not.Contain(job.Key));
    }

    [Test]
    public async Task A_refused_key_is_asked_for_once_more_where_the_opener_says_what_a_refusal_is()
    {
        var time = new ManualTimeProvider();
        StaticKeyJob job = null!;
        int opened = 0;
        await using StaticKeyJob started = job = await StaticKeyJob.StartAsync(time, more: b => b.Opener<Connection>("billing", (key, _) =>
        {
            opened++;
            return key == job.Key ? new(new Connection(key)) : throw new UnauthorizedAccessException();
        }, isRefusal: failure => failure is UnauthorizedAccessException));
        using (await job.Session.OpenAsync<Connection>("billing"))
        {
            job.Rotate();
            time.Advance(TimeSpan.FromMinutes(2));
        }
        using Connection rotated = await job.Session.OpenAsync<Connection>("billing");
        Assert.That((rotated.IsOf(job.Key), opened, job.Reads), Is.EqualTo((true, 3, 2)));

        job.Rotate(inVault: false);
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => job.Session.OpenAsync<Connection>("billing"))!.Code, Is.EqualTo("NHI8005"));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => job.Session.OpenAsync<Connection>("billing"))!.Code, Is.EqualTo("NHI8005"));
        Assert.That((opened, job.Reads), Is.EqualTo((5, 3)), "the vault names the same");
    }

    [Test]
    public void An_opener_for_what_has_no_static_key_or_a_second_one_is_refused_at_the_start()
    {
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => StaticKeyJob.StartAsync(more: b => b.Opener("vault", Open).Opener("biling", Open).Opener("billing", Open).Opener("billing", Open)))!;

        Assert.That(refused.Message, Does.Contain("Opener:vault: is for a target that has no static key").And.Contain("Opener:biling: is for no target that there is: billing").And.Contain("Did you mean 'billing'?").And.Contain("Opener:billing: is registered twice"));
    }

    // What an opener throws, what is told of it, and whether it may pass.
    private static readonly (Exception Thrown, string Said, bool IsTransient)[] Failures =
    [
        (new InvalidOperationException(), "InvalidOperationException", false),
        (new TimeoutException(), "TimeoutException", true),
        (new OperationCanceledException(), "OperationCanceledException", true),
        (new System.Net.Sockets.SocketException(), "SocketException", true),
        (new HttpRequestException(), "HttpRequestException", true),
        (new IOException(), "IOException", true),
        (new DatabaseFailure("28P01", false), "DatabaseFailure (SQLSTATE 28P01)", false),
        (new DatabaseFailure("40001", true), "DatabaseFailure (SQLSTATE 40001)", true),
        (new DatabaseFailure("hunt2", false), "DatabaseFailure (SQLSTATE hunt2)", false),
        (new DatabaseFailure("28P0!", false), "DatabaseFailure", false),
        (new DatabaseFailure("28P0", false), "DatabaseFailure", false),
        (new DatabaseFailure("28P011", false), "DatabaseFailure", false),
        (new DatabaseFailure(null, true), "DatabaseFailure", true),
    ];

    [Test]
    public void A_failure_is_told_by_its_type_and_the_state_of_a_database_and_no_more_of_it([Values] bool isOfTheSecondTry)
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((Exception thrown, string said, bool isTransient) in Failures)
            {
                var vault = new Rotated();
                var opener = new StaticKeyOpener<Connection>((key, _) => throw (isOfTheSecondTry && key == "first" ? new UnauthorizedAccessException() : thrown), failure => failure is UnauthorizedAccessException);

                TokenExchangeException? failed = Assert.ThrowsAsync<TokenExchangeException>(() => opener.OpenAsync(vault, vault.Time, default));

                Assert.That((failed?.Code, failed?.Stage, failed?.Target, failed?.IsTransient), Is.EqualTo(("NHI8005", ExchangeStage.Exchange, "billing", isTransient)), said);
                Assert.That((failed?.Detail, failed?.Hint), Is.EqualTo(($"The opener failed with {said}.", "Look at the service's own log; what it said is not repeated here, for it may quote the key.")), said);
                Assert.That(vault.Rejected, Is.EqualTo(isOfTheSecondTry ? 1 : 0), said);
            }
        }
    }

    [Test]
    public void An_opener_that_gives_nothing_has_failed()
    {
        var vault = new Rotated();

        TokenExchangeException failed = Assert.ThrowsAsync<TokenExchangeException>(() => new StaticKeyOpener<Connection>((_, _) => new((Connection)null!), null).OpenAsync(vault, vault.Time, default))!;

        Assert.That((failed.Code, failed.Stage, failed.Target, failed.Detail, failed.IsTransient), Is.EqualTo(("NHI8005", ExchangeStage.Exchange, "billing", "The opener gave null.", false)));
    }

    [Test]
    public async Task A_key_that_was_let_go_this_instant_is_read_anew()
    {
        var vault = new Rotated();
        (await vault.GetAsync()).Kept.LetGo();

        using Connection opened = await new StaticKeyOpener<Connection>(Open, null).OpenAsync(vault, vault.Time, default);

        Assert.That((opened.IsOf("second"), vault.Rejected), Is.EqualTo((true, 1)));
    }

    // A vault that names another key to who was refused with the first.
    private sealed class Rotated : CredentialProvider<StaticKey>
    {
        private readonly StaticKey[] _keys;
        private int _asked;

        public Rotated()
            : base("billing")
        {
            _keys = [Of("first"), Of("second")];
            Time.Advance(TimeSpan.FromMinutes(2));
        }

        public ManualTimeProvider Time { get; } = new();

        public int Rejected { get; private set; }

        public override ValueTask<StaticKey> GetAsync(CancellationToken cancellationToken = default) =>
            ++_asked < 10 ? new(_keys[Math.Min(Rejected, 1)]) : throw new AssertionException("It is asked over and over.");

        public override void Reject(StaticKey credential) => Rejected++;

        private StaticKey Of(string key) => new(new KeptKey(key, Time), StaticKey.FingerprintOf(key, "place"), null, DateTimeOffset.MaxValue, Time.GetTimestamp());
    }

    private sealed class DatabaseFailure(string? state, bool isTransient) : System.Data.Common.DbException
    {
        public override string? SqlState => state;

        public override bool IsTransient => isTransient;
    }

    private sealed class Connection(string key) : IDisposable
    {
        public bool IsOf(string expected) => key == expected;

        public void Dispose()
        {
        }
    }
}
