using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests.Policy.Remote;

/// <summary>A decision point that does not answer is left alone for a while, and asked again once.</summary>
internal sealed class DecisionCircuitTests
{
    [Test]
    public async Task After_some_failures_nobody_asks_until_the_pause_is_over_and_one_answer_closes_it([Values] Language language)
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
        var time = new SkippingTime();
        var policy = (RemotePolicy)language.Policy(emulator.DecisionPoint);
        emulator.Faults.Always(language.Endpoint(), Fault.Garbage());
        int Asked() => emulator.Ledger.Requests.Of(language.Endpoint());

        for (int failure = 0; failure < DecisionCircuit.LeastFailures; failure++)
            Assert.That(policy.Failure(Questions.Of(time)).Message, Does.Contain("well-formed"));
        Assert.That((Asked(), policy.IsCircuitOpen), Is.EqualTo((DecisionCircuit.LeastFailures, true)));

        TokenExchangeException left = policy.Failure(Questions.Of(time));
        Assert.That((left.Code, left.IsTransient, Asked()), Is.EqualTo(("NHI3002", true, DecisionCircuit.LeastFailures)));
        Assert.That(left.RetryAfter, Is.GreaterThan(TimeSpan.Zero).And.LessThanOrEqualTo(DecisionCircuit.Pause));
        Assert.That(left.Message, Does.Contain("is not asked for a while"));

        time.Advance(DecisionCircuit.Pause);
        Assert.That(policy.Failure(Questions.Of(time)).Message, Does.Contain("well-formed"), "one question goes through");
        Assert.That((Asked(), policy.IsCircuitOpen), Is.EqualTo((DecisionCircuit.LeastFailures + 1, true)));

        emulator.Faults.Clear();
        time.Advance(DecisionCircuit.Pause);
        Assert.That((await policy.DecideAsync(Questions.Of(time))).IsPermitted, Is.True);
        Assert.That(policy.IsCircuitOpen, Is.False);
    }

    [Test]
    public async Task A_clear_no_and_a_refused_question_open_nothing([Values] Language language)
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
        var time = new SkippingTime();
        var policy = (RemotePolicy)language.Policy(emulator.DecisionPoint);
        emulator.DecisionPoint.Rule = _ => new EmulatedDecision { IsPermitted = false };
        for (int i = 0; i < 10; i++)
            Assert.That((await policy.DecideAsync(Questions.Of(time))).IsPermitted, Is.False);
        emulator.Faults.Always(language.Endpoint(), Fault.Status(400));
        for (int i = 0; i < 10; i++)
            policy.Failure(Questions.Of(time));

        Assert.That((policy.IsCircuitOpen, emulator.Ledger.Requests.Of(language.Endpoint())), Is.EqualTo((false, 20)));
    }

    [Test]
    public async Task Callers_that_give_up_open_nothing()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
        var policy = (RemotePolicy)Language.Opa.Policy(emulator.DecisionPoint);
        for (int i = 0; i < 2 * DecisionCircuit.LeastFailures; i++)
        {
            HeldRequest held = emulator.Faults.HoldNext(EmulatorEndpoint.OpaData);
            using var gaveUp = new CancellationTokenSource();
            Task<AccessDecision> asking = policy.DecideAsync(Questions.Of(new SkippingTime()), gaveUp.Token).AsTask();
            await held.Reached;
            await gaveUp.CancelAsync();
            Assert.CatchAsync<OperationCanceledException>(() => asking);
            held.Release();
        }

        Assert.That(policy.IsCircuitOpen, Is.False);
    }
}
