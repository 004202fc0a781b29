using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>What holds a Vault token or secret shows it to nobody.</summary>
internal sealed class VaultLeakTests
{
    [Test]
    public async Task Neither_log_nor_audit_nor_report_nor_error_holds_a_token_or_a_secret()
    {
        using var log = new LoggedText();
        await using VaultJob job = await VaultJob.StartAsync(login: o => o.WrapLifetime = TimeSpan.FromMinutes(1), more: b => b.Logging(log));
        VaultSecret secret = await job.Database.GetAsync();
        BearerToken login = await job.Login.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultSecret, Fault.Vault(400, $"{login.Reveal()} and {secret.Reveal("password")}"));
        job.Database.Reject(secret);
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Database.GetAsync().AsTask())!;
        JobReport report = await job.Session.CompleteAsync();

        string said = string.Join('\n', log.Text, job.Audit.Text, report, string.Join('\n', report.Leases), refused);
        Assert.That(said, Does.Contain(secret.Fingerprint).And.Contain(login.Fingerprint));
        Assert.That(Canary.FindIn(said, login.Reveal()), Is.Empty);
        Assert.That(Canary.FindIn(said, secret.Reveal("password")), Is.Empty);
    }

    [Test]
    public void P54_A_secret_shows_its_values_to_no_printer_no_serializer_and_no_debugger()
    {
        string canary = Guid.NewGuid().ToString("N");
        var secret = new VaultSecret($$"""{"password":"{{canary}}"}""", DateTimeOffset.UnixEpoch) { IssuedTo = new SubjectToken(canary, SubjectTokenType.AccessToken) };

        Assert.That($"{secret}{JsonSerializer.Serialize(secret)}", Does.Not.Contain(canary).And.Contain("VaultSecret"));
        foreach (FieldInfo field in typeof(VaultSecret).GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Where(field => field.Name.StartsWith('_')))
            Assert.That(field.GetCustomAttribute<DebuggerBrowsableAttribute>()!.State, Is.EqualTo(DebuggerBrowsableState.Never), field.Name);
        Assert.That(typeof(VaultSecret).GetProperty("IssuedTo", BindingFlags.Instance | BindingFlags.NonPublic)!.GetCustomAttribute<DebuggerBrowsableAttribute>()!.State, Is.EqualTo(DebuggerBrowsableState.Never));
    }
}
