using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange.Tests;

/// <summary>A folder for journals, one for the ledger of issuers that outlive their callers, and jobs that are killed.</summary>
internal abstract class JournalFixture
{
    /// <summary>A process of this host that is no more: numbers don't go that far.</summary>
    protected static readonly string Owner = $"\"host\":\"{Environment.MachineName}\",\"boot\":\"{ProcessIdentity.Current.Boot}\",\"process\":99999999,\"started\":\"17\"";

    /// <summary>The first line of a journal of that process.</summary>
    protected static readonly string Header = $"{{\"kind\":\"journal\",\"version\":1,\"at\":\"2026-01-01T00:00:00.0000000+00:00\",{Owner},\"job.Pipeline\":\"orders-nightly\",\"job.Pipeline.origin\":\"code\"}}";

    private string _folder = "";

    protected string Journals => Path.Combine(_folder, "journals");

    protected string Ledger => Path.Combine(_folder, "ledger");

    [SetUp]
    public void MakeFolders()
    {
        _folder = Directory.CreateTempSubdirectory("nhi-journal-").FullName;
        Directory.CreateDirectory(Ledger);
    }

    [TearDown]
    public void RemoveFolders() => Directory.Delete(_folder, recursive: true);

    /// <summary>Runs the job of seventy-five credentials, and kills it when it has said so many lines: each exchange, each issue, each hand-out is one.</summary>
    protected async Task KillJobAsync(int afterLines)
    {
        using Process child = ChildProcess.Start("journal", Journals, Ledger);
        for (int line = 0; line < afterLines; line++)
            Assert.That(await ChildProcess.ReadLineAsync(child), Is.Not.Null, "the job ended by itself");
        child.Kill();
        await child.WaitForExitAsync();
    }

    /// <summary>Fingerprints that the issuers know as issued with a handle (<c>held</c>; <c>chosen</c>, if their exchanger chose it) or without (<c>bare</c>), as <c>revoked</c>, or as asked for <c>again</c>.</summary>
    protected IReadOnlyList<string> Fingerprints(string what) => FileIssuer.Fingerprints(Ledger, what);

    /// <summary>The journals that are there.</summary>
    protected string[] Files() => Directory.Exists(Journals) ? Directory.GetFiles(Journals) : [];

    /// <summary>What a job that wants to recover declares.</summary>
    protected TokenExchangeBuilder Compose(TokenExchangeBuilder builder, IAuditSink? audit = null, Action<string>? before = null)
    {
        string[] scopes = [.. Enumerable.Range(0, 25).Select(i => $"table-{i}")];
        return builder.Identity("job", FileIssuer.Proofs, ActsFor.Workload)
            .Target("held", new FileIssuer(Ledger, hasHandles: true, before), "job", scopes)
            .Target("bare", new FileIssuer(Ledger, hasHandles: false, before), "job", scopes)
            .Target("chosen", new FileIssuer(Ledger, hasHandles: true, before, announces: true), "job", scopes)
            .Audit(audit ?? new RecordingSink()).Journal(Journals).EndOnSignals(false);
    }

    protected Task<RecoveryReport> RecoverAsync(IAuditSink? audit = null, Action<string>? before = null) => JobSession.RecoverAsync(b => Compose(b, audit, before));

    /// <summary>A line of an exchange.</summary>
    protected static string Entry(int number, string more, string target = "held", string issuer = "https://handles.test/") => string.Create(CultureInfo.InvariantCulture,
        $"{{\"kind\":\"entry\",\"entry\":{number},\"at\":\"2026-01-01T00:00:00.0000000+00:00\",\"flight\":\"00000000-0000-0000-0000-{number:d12}\",\"target\":\"{target}\",\"issuer\":\"{issuer}\"{more}}}");

    /// <summary>A line of a credential that has a handle.</summary>
    protected static string Lease(int number, string? fingerprint = null, string more = "", string diesAt = "2126-01-01T00:00:00.0000000+00:00", string target = "held", string issuer = "https://handles.test/") => Entry(
        number, $",\"fingerprint\":\"{fingerprint ?? $"f{number}"}\",\"handle\":\"lease/{fingerprint ?? $"f{number}"}\",\"unusableFrom\":\"{diesAt}\",\"diesAt\":\"{diesAt}\"{more}", target, issuer);

    /// <summary>Puts a journal into the folder, as a dead job would have left it.</summary>
    protected string Write(string text)
    {
        string file = Path.Combine(Journals, $"{Guid.NewGuid():N}.journal");
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(Journals);
        else
            Directory.CreateDirectory(Journals, (UnixFileMode)0b111_000_000);
        File.WriteAllBytes(file, Encoding.Latin1.GetBytes(text));   // all of it is ASCII, but for what is to be no UTF-8
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, (UnixFileMode)0b110_000_000);
        foreach (int number in new[] { 1, 2, 3 })
            File.WriteAllText(Path.Combine(Ledger, string.Create(CultureInfo.InvariantCulture, $"f{number}.held")), "");
        return file;
    }
}
