namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What is heard of the tries of one piece of work, and whose watch it is.</summary>
internal sealed class WatchedTriesTests
{
    private static readonly Uri Login = new("https://vault.example/login"), Lookup = new("https://vault.example/lookup");

    [Test]
    public void What_is_heard_is_of_the_endpoint_that_was_asked_last()
    {
        var watched = new WatchedTries();
        var down = new TokenExchangeException(ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, "down");
        Assert.That(watched.Heard, Is.EqualTo(((TokenExchangeException?)null, 0)));

        watched.NoteSent(Login);
        watched.NoteFailed(down);
        watched.NoteSent(Login);
        Assert.That(watched.Heard, Is.EqualTo((down, 2)));

        watched.NoteSent(Lookup);
        Assert.That(watched.Heard, Is.EqualTo(((TokenExchangeException?)null, 1)));
    }

    [Test]
    public void Work_that_begins_within_other_work_has_its_own_watch_and_gives_the_others_back()
    {
        WatchedTries outer = new(), inner = new();

        WatchedTries?[] seen = outer.Begin(() => new[] { WatchedTries.Current, inner.Begin(() => WatchedTries.Current), WatchedTries.BeginUnwatched(() => WatchedTries.Current), WatchedTries.Current });

        Assert.That(seen, Is.EqualTo(new[] { outer, inner, null, outer }));
        Assert.That(() => outer.Begin<int>(() => throw new InvalidOperationException("broke")), Throws.InvalidOperationException);
        Assert.That(WatchedTries.Current, Is.Null);
    }

    [Test]
    public void Where_something_was_given_all_is_tried_to_the_end()
    {
        using var noMore = new CancellationTokenSource();
        var watched = new WatchedTries(noMore.Token);
        Assert.That(watched.NoMoreFrom, Is.EqualTo(noMore.Token));

        watched.NoteGiven();

        Assert.That(watched.NoMoreFrom, Is.EqualTo(CancellationToken.None));
    }
}
