namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>For how long something is held against an issuer that showed once.</summary>
internal sealed class LearntFactTests
{
    [TestCase(0, 600, false)]
    [TestCase(599, 1, false)]
    [TestCase(600, 0, true)]
    [TestCase(601, 0, true)]
    public void It_is_kept_for_ten_minutes_and_may_be_forgotten_then(int seconds, int left, bool isForgotten)
    {
        var time = new ManualTimeProvider();
        var fact = new LearntFact();
        fact.Note(true, time);
        time.Advance(TimeSpan.FromSeconds(seconds));

        Assert.That((fact.KeptFor, fact.TryForget(), fact.IsSo), Is.EqualTo(((TimeSpan?)TimeSpan.FromSeconds(left), isForgotten, !isForgotten)));
    }

    [Test]
    public void What_was_never_seen_or_was_put_right_is_not_so([Values] bool wasSeen)
    {
        var time = new ManualTimeProvider();
        var fact = new LearntFact();
        if (wasSeen)
            fact.Note(true, time);
        fact.Note(false, time);
        time.Advance(TimeSpan.FromHours(1));

        Assert.That((fact.IsSo, fact.KeptFor, fact.TryForget()), Is.EqualTo((false, (TimeSpan?)null, false)));
    }
}
