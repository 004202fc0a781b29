using System.Diagnostics;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Tests.Exchange.StaticKeys;

/// <summary>A static key is seen by its service and nobody else, least of all by who reads logs for years.</summary>
[NonParallelizable]
internal sealed class StaticKeyLeakTests
{
    [Test]
    public async Task Neither_log_nor_trace_nor_metric_nor_audit_nor_report_nor_error_holds_the_key()
    {
        using var heard = new Overheard();
        using ILoggerFactory logging = LoggerFactory.Create(builder => builder.AddProvider(heard).SetMinimumLevel(LogLevel.Trace));
        var time = new ManualTimeProvider();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time, left: TimeSpan.FromDays(3), more: b => b.Logging(logging).Opener<Stream>("billing", (key, _) => throw new InvalidOperationException(key)));
        string key = job.Key;
        await job.CallAsync();
        heard.Hear(Assert.ThrowsAsync<TokenExchangeException>(() => job.Session.OpenAsync<Stream>("billing"))!);
        time.Advance(TimeSpan.FromMinutes(20));
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultSecret, Fault.Vault(400, $"what about {key}?"));
        heard.Hear(Assert.ThrowsAsync<TokenExchangeException>(() => job.CallAsync())!);
        job.Emulator.Faults.Clear();
        time.Advance(TimeSpan.FromMinutes(2));
        await job.CallAsync();
        JobReport report = await job.Session.CompleteAsync();
        heard.Observe();

        string said = string.Join('\n', heard.Text, job.Audit.Text, report, string.Join('\n', report.Leases));
        Assert.That(said, Does.Contain(job.Audit.Events.First(one => one is { Kind: AuditEventKind.Issued, Target: "billing" }).Fingerprint));
        Assert.That(Canary.FindIn(said, key), Is.Empty);
    }

    [Test]
    public void It_shows_its_key_to_no_printer_no_serializer_and_no_debugger_and_its_fingerprint_is_no_plain_hash()
    {
        string canary = StaticKeyJob.NewKey();
        var kept = new KeptKey(canary, new ManualTimeProvider());
        var key = new StaticKey(kept, StaticKey.FingerprintOf(canary, "here"), "1", DateTimeOffset.UnixEpoch, 0);
        var stored = new StoredKey(canary);

        // By their types at run time, as a structured logger looks at them, with fields and all.
        var all = new JsonSerializerOptions { IncludeFields = true };
        object[] holders = [key, kept, stored];
        foreach (object holder in holders)
        {
            Assert.That($"{holder}{JsonSerializer.Serialize(holder, all)}", Does.Not.Contain(canary).And.Contain("Key"));
            FieldInfo[] texts = [.. holder.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Where(field => ReferenceEquals(field.GetValue(holder), canary))];
            Assert.That(texts, Has.Length.EqualTo(ReferenceEquals(holder, key) ? 0 : 1));
            Assert.That(texts.Select(field => field.GetCustomAttribute<DebuggerBrowsableAttribute>()?.State), Is.All.EqualTo(DebuggerBrowsableState.Never));
        }
        Assert.That(typeof(StaticKey).GetProperty(nameof(StaticKey.Kept), BindingFlags.Instance | BindingFlags.NonPublic)!.GetCustomAttribute<DebuggerBrowsableAttribute>()!.State, Is.EqualTo(DebuggerBrowsableState.Never));
        Assert.That(key.Fingerprint, Is.Not.EqualTo(Ledger.FingerprintOf(canary)), "a password that somebody thought of is not found in a list of hashes");
        ulong again = StaticKey.FingerprintOf(canary, "here"), elsewhere = StaticKey.FingerprintOf(canary, "there");
        Assert.That(key.Fingerprint, Is.EqualTo(again.ToString("x16", System.Globalization.CultureInfo.InvariantCulture)));
        Assert.That(elsewhere, Is.Not.EqualTo(again));
    }

    [Test]
    public void A_fingerprint_can_be_made_of_a_guess_in_its_own_process_alone()
    {
        string password = StaticKeyJob.NewKey();
        byte[] one = RandomNumberGenerator.GetBytes(32), other = RandomNumberGenerator.GetBytes(32);

        ulong told = StaticKey.FingerprintOf(password, "here", one), toldAgain = StaticKey.FingerprintOf(password, "here", one), elsewhere = StaticKey.FingerprintOf(password, "here", other);
        Assert.That(toldAgain, Is.EqualTo(told));
        Assert.That(elsewhere, Is.Not.EqualTo(told));
        byte[] ofThisProcess = (byte[])typeof(StaticKey).GetField("OfThisProcess", BindingFlags.Static | BindingFlags.NonPublic)!.GetValue(null)!;
        Assert.That(StaticKey.FingerprintOf(password, "here"), Is.EqualTo(StaticKey.FingerprintOf(password, "here", ofThisProcess)));
        Assert.That((ofThisProcess.Length, ofThisProcess.Distinct().Count() > 8), Is.EqualTo((32, true)));
    }
}
