namespace Nhi.TokenExchange.Tests;

/// <summary>A wait that has an end, whatever is waited for.</summary>
internal sealed class EventuallyTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(20);

    [Test]
    public void What_never_comes_is_told_by_name() =>
        Assert.That(() => Eventually.HoldsAsync(() => false, "the moon", Short), Throws.TypeOf<AssertionException>().With.Message.Contains("did not come: the moon"));

    [Test]
    public void A_look_that_never_comes_back_is_given_up()
    {
        var never = new TaskCompletionSource<bool>();
        Assert.That(() => Eventually.HoldsAsync(() => never.Task, "the moon", Short), Throws.TypeOf<AssertionException>().With.Message.Contains("did not come back: the moon"));
    }

    [Test]
    public async Task What_comes_after_many_looks_is_seen()
    {
        int looks = 0;
        await Eventually.HoldsAsync(() => ++looks == 150, "the 150th look");
        Assert.That(looks, Is.EqualTo(150));
    }

    [Test]
    public void What_a_look_throws_comes_out() =>
        Assert.That(() => Eventually.HoldsAsync(() => Task.FromException<bool>(new TimeoutException("its own")), "the moon"), Throws.TypeOf<TimeoutException>().With.Message.EqualTo("its own"));
}
