namespace Nhi.TokenExchange.Tests;

/// <summary>A folder of audit files for each test.</summary>
internal abstract class AuditTrailFixture
{
    protected string Folder { get; private set; } = "";

    [SetUp]
    public void MakeFolder() => Folder = Directory.CreateTempSubdirectory("audit-trail-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(Folder, recursive: true);

    /// <summary>A chain of nine lines in three parts: five events, ended.</summary>
    protected static ChainFiles SmallChain() => new ChainFiles().Part().Add(SampleEvents.All.Take(2)).Part().Add(SampleEvents.All.Skip(3).Take(2)).Part().Add(SampleEvents.All[7]).End();

    /// <summary>A chain of eight lines in one file: six events, ended.</summary>
    protected static ChainFiles OneFile() => new ChainFiles().Part().Add(SampleEvents.All.Where(one => one.Kind != AuditEventKind.Denied).Take(6)).End();

    /// <summary>A chain of four short lines: for what is done to each bit.</summary>
    protected static ChainFiles Shortest() => new ChainFiles().Part()
        .Add(new AuditEvent { Kind = AuditEventKind.JobCutShort, At = SampleEvents.Start, FlightId = Guid.Empty, Target = "", Job = JobContext.Unnamed }, new AuditEvent { Kind = AuditEventKind.Expired, At = SampleEvents.Start, FlightId = Guid.Empty, Target = "", Job = JobContext.Unnamed })
        .End();

    protected void Write(ChainFiles chain, int part, IEnumerable<string> lines) => File.WriteAllText(Path.Combine(Folder, chain.NameOf(part)), string.Concat(lines.Select(line => line + '\n')));

    protected AuditTrail Verify(params string[] anchors) => AuditTrail.Verify(Folder, anchors);

    /// <summary>The first fault, as file name and line.</summary>
    protected static string Place(AuditFinding finding) => $"{Path.GetFileName(finding.File)}:{finding.Line}";
}
