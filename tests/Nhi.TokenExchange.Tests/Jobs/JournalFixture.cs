using System.Diagnostics;

namespace Nhi.TokenExchange.Tests;

/// <summary>A folder for journals, one for the ledger of issuers that outlive their callers, and jobs that are killed.</summary>
internal abstract class JournalFixture
{
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
}
