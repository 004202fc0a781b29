using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What a flight writes into the journal, and that nothing of it is left when what it brought has ended.</summary>
internal sealed class FlightJournalTests : JournalFixture
{
    private string[] Lines
    {
        get
        {
            // The framework would ask for the lock that its job holds.
            using SafeFileHandle handle = UnixOpen.ToRead(Files().Single());
            byte[] bytes = new byte[RandomAccess.GetLength(handle)];
            return Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(handle, bytes, 0)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
    }

    [TestCase("NHI4003", false)]
    [TestCase("NHI4011", true, Description = "and once more with another proof")]
    public async Task Of_an_exchange_that_brought_nothing_nothing_is_left(string code, bool isTriedAgain)
    {
        await using TestJob job = await TestJob.StartAsync(more: b => b.Journal(Journals));
        job.Issuer.Answer = _ => job.Issuer.Requests.Count == 1 ? throw new TokenExchangeException(code, ExchangeStage.Exchange, "It says no.") : new Issued<BearerToken>(job.Issuer.NewToken());
        if (isTriedAgain)
            await job.Warehouse.GetAsync();
        else
            Assert.That(async () => await job.Warehouse.GetAsync(), Throws.TypeOf<TokenExchangeException>());
        await job.QuietAsync();

        await job.Session.CompleteAsync();

        Assert.That(job.Issuer.Revoked, Is.EqualTo(job.Issuer.Issued));
        Assert.That(Files(), Is.Empty, "no next start looks for what never was");
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "Nobody else may read a journal there while its job lives.")]
    public async Task What_comes_after_the_deadline_is_written_down_before_it_is_ended()
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Gate = new Gate(), more: b => b.Journal(Journals));
        string[] atRevocation = [];
        job.Issuer.OnRevoke = _ =>
        {
            atRevocation = Lines;
            return Task.FromResult(Revocation.Revoked);
        };
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await job.Issuer.Gate!.Reached;
        job.Time.Advance(TimeSpan.FromSeconds(60));
        Assert.That(async () => await asking, Throws.TypeOf<TokenExchangeException>());

        job.Issuer.Gate.Open();
        await job.QuietAsync();
        await job.Session.CompleteAsync();

        Assert.That(atRevocation, Has.Exactly(1).Contains($"\"fingerprint\":\"{job.Issuer.Issued.Single().Fingerprint}\""));
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "Nobody else may read a journal there while its job lives.")]
    public async Task A_renewal_is_written_down_with_its_end_in_the_place_of_what_it_renewed()
    {
        await using TestJob job = await TestJob.StartAsync(more: b => b.Journal(Journals));
        BearerToken held = await job.Warehouse.GetAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(new BearerToken(held.Reveal(), job.Time.GetUtcNow().AddHours(1))) { IsRenewal = true };
        job.Time.Advance(TimeSpan.FromMinutes(45));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();

        string[] written = [.. Lines.Where(line => line.Contains("\"fingerprint\"", StringComparison.Ordinal))];
        Assert.That(written, Has.Length.EqualTo(2).And.All.Contains($"\"fingerprint\":\"{held.Fingerprint}\""));
        Assert.That(written[1], Does.Contain("\"diesAt\":\"2026-01-01T01:45:00."), "an hour from when it was renewed");
        await job.Session.CompleteAsync();
        Assert.That(Files(), Is.Empty);
    }
}
