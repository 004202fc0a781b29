using System.Net;

namespace Nhi.TokenExchange;

[TestFixture]
internal sealed class FaultProxyTests : EmulatorFixture
{
    private FaultProxy _proxy = null!;

    [SetUp]
    public void StartProxy() => _proxy = FaultProxy.Start(Emulator.Authorization.TokenEndpoint, Clock);

    [TearDown]
    public async Task StopProxyAsync() => await _proxy.DisposeAsync();

    [Test]
    public async Task Without_faults_it_is_a_pipe()
    {
        Assert.That((await ThroughAsync()).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(_proxy.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task A_dropped_connection_fails_and_the_next_one_works()
    {
        _proxy.Next(ProxyFault.Drop());
        Assert.That(ThroughAsync, Throws.InstanceOf<HttpRequestException>());
        Assert.That(Emulator.Ledger.Requests.Of(EmulatorEndpoint.AuthorizationToken), Is.Zero);
        Assert.That((await ThroughAsync()).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public void A_reset_in_the_request_leaves_the_server_without_a_whole_one()
    {
        _proxy.Next(ProxyFault.ResetAfterRequest(40));
        Assert.That(ThroughAsync, Throws.InstanceOf<HttpRequestException>());
        Assert.That(Emulator.Ledger.Issued, Is.Empty);
    }

    [TestCase(0)]
    [TestCase(20)]
    public void A_reset_in_the_answer_leaves_a_token_that_nobody_has(int bytes)
    {
        _proxy.Next(ProxyFault.ResetAfterAnswer(bytes));
        Assert.That(ThroughAsync, Throws.InstanceOf<HttpRequestException>());
        Assert.That(Emulator.Ledger.Issued, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Latency_runs_on_the_given_clock()
    {
        _proxy.Next(ProxyFault.Latency(TimeSpan.FromSeconds(9)));
        Task<RawAnswer> waiting = ThroughAsync();
        await Eventually.HoldsAsync(() => Clock.PendingTimers > 0, "the timer of the latency");
        Assert.That(waiting.IsCompleted, Is.False);
        await AdvanceUntilDoneAsync(waiting, TimeSpan.FromSeconds(9));
        Assert.That((await waiting).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_drip_takes_a_step_for_each_byte()
    {
        _proxy.Next(ProxyFault.Drip(TimeSpan.FromMilliseconds(10)));
        Task<RawAnswer> waiting = ThroughAsync();
        int steps = await AdvanceUntilDoneAsync(waiting, TimeSpan.FromMilliseconds(10));
        Assert.That(steps, Is.GreaterThan((await waiting).Body.Length));
    }

    [Test]
    public async Task A_black_hole_and_a_half_open_connection_never_answer()
    {
        _proxy.Next(ProxyFault.BlackHole());
        _proxy.Next(ProxyFault.HalfOpenAfterAnswer(30));
        using var giveUp = new CancellationTokenSource();
        Task<HttpResponseMessage> hole = SendAsync(giveUp.Token);
        await Eventually.HoldsAsync(() => _proxy.Connections >= 1, "a connection");
        Task<HttpResponseMessage> half = SendAsync(giveUp.Token);
        await Eventually.HoldsAsync(() => Emulator.Ledger.Issued.Count >= 1, "an issue");
        Assert.That(hole.IsCompleted || half.IsCompleted, Is.False);
        await giveUp.CancelAsync();
        Assert.That(() => hole, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(() => half, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void It_stands_in_front_of_loopback_only() =>
        Assert.That(() => FaultProxy.Start(new Uri("https://workspace.invalid/"), Clock), Throws.ArgumentException);

    private async Task<int> AdvanceUntilDoneAsync(Task waiting, TimeSpan step)
    {
        int steps = 0;
        await Eventually.HoldsAsync(
            () =>
            {
                if (Clock.PendingTimers > 0)
                {
                    Clock.Advance(step);
                    steps++;
                }
                return waiting.IsCompleted;
            },
            "an answer through the proxy");
        return steps;
    }

    private Task<RawAnswer> ThroughAsync() => Raw.PostAsync(_proxy.Address, Form());

    private async Task<HttpResponseMessage> SendAsync(CancellationToken cancellationToken)
    {
        using var content = new FormUrlEncodedContent(Form().Select(f => KeyValuePair.Create(f.Name, f.Value)));
        return await Raw.Http.PostAsync(_proxy.Address, content, cancellationToken);
    }

    private (string Name, string Value)[] Form() =>
        [("grant_type", RawClient.Exchange), ("client_id", "job"), ("subject_token", Job.Mint(Audience)), ("subject_token_type", RawClient.JwtType)];
}
