using AzureReadMe;

namespace Nhi.TokenExchange.Tests;

/// <summary>The examples of the emulator's README that are about Azure do what they say.</summary>
internal sealed class EmulatorReadmeTests
{
    [Test]
    public async Task The_test_of_a_job_sees_its_use_accepted()
    {
        IReadOnlyList<LedgerUse> uses = await Emulated.TestYourJobAsync();

        Assert.That(uses.Select(use => use.Verdict), Is.Not.Empty.And.All.EqualTo(UseVerdict.Accepted));
    }

    [Test]
    public async Task An_unmodified_client_gets_a_token()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();

        Azure.Core.AccessToken token = await Emulated.UnmodifiedAsync(emulator);

        Assert.That(emulator.Ledger.Issued.Single().Fingerprint, Is.EqualTo(Ledger.FingerprintOf(token.Token)));
    }
}
