using System.Net.Http;

namespace Nhi.TokenExchange;

[TestFixture]
internal sealed class LedgerTests : EmulatorFixture
{
    [Test]
    public async Task An_answer_that_was_written_whole_is_delivered_and_one_that_was_cut_is_not()
    {
        await TokenAsync();
        Emulator.Faults.Next(EmulatorEndpoint.AuthorizationToken, Fault.ResetAfterWork());
        Assert.That(async () => await TokenAsync(), Throws.InstanceOf<HttpRequestException>());
        Emulator.Faults.Next(EmulatorEndpoint.AuthorizationToken, Fault.Truncate(10));
        Assert.That(async () => await TokenAsync(), Throws.InstanceOf<Exception>());

        // The answer is noted as written after it is on its way: the next request comes behind it.
        await TokenAsync();
        Assert.That(Emulator.Ledger.Issued.Take(3).Select(issue => issue.DeliveredAt), Is.EqualTo(new DateTimeOffset?[] { Clock.GetUtcNow(), null, null }));
    }

    [Test]
    public async Task Two_requests_for_one_credential_at_once_are_told_and_two_for_different_ones_are_not()
    {
        HeldRequest first = Emulator.Faults.HoldNext(EmulatorEndpoint.AuthorizationToken);
        Task<string> one = TokenAsync();
        await first.Reached;
        await TokenAsync("dataset:customers");
        Assert.That(Emulator.Ledger.Overlaps, Is.Empty);

        await TokenAsync();
        first.Release();
        await one;
        Assert.That(Emulator.Ledger.Overlaps, Is.EqualTo(new[] { new LedgerOverlap(EmulatorEndpoint.AuthorizationToken, "job", Clock.GetUtcNow(), 2) }));
    }
}
