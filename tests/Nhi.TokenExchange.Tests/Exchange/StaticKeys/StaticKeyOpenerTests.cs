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

    private sealed class Connection(string key) : IDisposable
    {
        public bool IsOf(string expected) => key == expected;

        public void Dispose()
        {
        }
    }
}
