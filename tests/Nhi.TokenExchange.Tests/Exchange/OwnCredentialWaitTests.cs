namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>Whether a revocation waits for what it asks with.</summary>
internal sealed class OwnCredentialWaitTests
{
    [Test]
    public async Task It_is_on_until_that_is_there()
    {
        var wait = new OwnCredentialWait();
        var getting = new TaskCompletionSource<string>();

        ValueTask<string> got = OwnCredentialWait.ForAsync(wait, getting.Task);
        bool isOn = wait.IsOn;
        getting.SetResult("token");

        Assert.That((isOn, await got, wait.IsOn), Is.EqualTo((true, "token", false)));
    }

    [Test]
    public void It_stays_on_where_none_came()
    {
        var wait = new OwnCredentialWait();

        Assert.That(async () => await OwnCredentialWait.ForAsync(wait, Task.FromException<string>(new IOException())), Throws.InstanceOf<IOException>());
        Assert.That(wait.IsOn, Is.True);
    }

    [Test]
    public async Task Nobody_need_want_to_know() => Assert.That(await OwnCredentialWait.ForAsync(null, Task.FromResult("token")), Is.EqualTo("token"));
}
