using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange.Tests;

/// <summary>A folder for the audit's files, sinks that write there, and a reader that follows a chain by the page of its format, not by the code that wrote it.</summary>
internal abstract class AuditFolderFixture
{
    protected static readonly JobContext Job = new() { Pipeline = "orders-nightly", Run = "4711" };

    private string _folder = "";

    protected string Folder => Path.Combine(_folder, "audit");

    protected ManualTimeProvider Time { get; private set; } = new();

    protected TestDisk Disk { get; private set; } = new();

    protected LoggedText Log { get; private set; } = new();

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory("nhi-audit-").FullName;
        (Time, Disk, Log) = (new ManualTimeProvider(), new TestDisk(), new LoggedText());
    }

    [TearDown]
    public void RemoveFolder()
    {
        Disk.Gate.Set();
        Directory.Delete(_folder, recursive: true);
        Log.Dispose();
    }

    protected AuditFileSink Start(long partBytes = 64 << 20, int anchorEvery = 1000, JobContext? job = null) =>
        AuditFileSink.Start(new AuditFolderPlan(Folder, true, partBytes, anchorEvery, Disk), job ?? Job, Time, Log);

    protected static AuditEvent Event(string target, AuditEventKind kind = AuditEventKind.Exchanging) =>
        new() { Kind = kind, At = DateTimeOffset.UnixEpoch, FlightId = Guid.Empty, Target = target, Job = Job };

    protected static ValueTask WriteAsync(AuditFileSink sink, string target) => sink.WriteAsync(Event(target), CancellationToken.None);

    /// <summary>Waits for a record that must fail.</summary>
    protected static async Task<Exception> RefusedAsync(ValueTask writing)
    {
        try
        {
            await writing;
        }
        catch (Exception refused)
        {
            return refused;
        }
        throw new AssertionException("It was recorded.");
    }

    /// <summary>The files, in the order of their parts.</summary>
    protected string[] Files() => Files(Folder);

    protected static string[] Files(string folder) => !Directory.Exists(folder) ? [] : [.. Directory.GetFiles(folder).OrderBy(file => file.Length).ThenBy(file => file, StringComparer.Ordinal)];

    /// <summary>What is in a file, locked or not.</summary>
    protected static string TextOf(string file)
    {
        using SafeFileHandle handle = UnixOpen.ToRead(file);
        byte[] bytes = new byte[RandomAccess.GetLength(handle)];
        return Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(handle, bytes, 0));
    }

    /// <summary>Follows a chain through its files; fails at the first line that does not hold.</summary>
    /// <param name="files">The parts, in their order.</param>
    /// <param name="mayBeTorn">Whether the last line may have no end: it is not looked at then.</param>
    /// <returns>The events, of the chain itself and of the audit.</returns>
    protected static IReadOnlyList<JsonElement> FollowChain(IEnumerable<string> files, bool mayBeTorn = false)
    {
        var events = new List<JsonElement>();
        string previous = new('0', 64);
        int part = 0;
        foreach (string file in files)
        {
            string[] lines = TextOf(file).Split('\n');
            Assert.That(lines[^1], mayBeTorn ? Is.Not.Null : Is.Empty, $"{file} ends in half a line");
            foreach (string line in lines[..^1])
            {
                int number = events.Count + 1;
                string start = string.Create(CultureInfo.InvariantCulture, $"{{\"seq\":{number},\"prev\":\"{previous}\",\"event\":{{");
                Assert.That(line, Does.StartWith(start), $"{file}, line {number} of the chain");
                int end = line.LastIndexOf(",\"hash\":\"", StringComparison.Ordinal);
                previous = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("nhi-audit-line-v1\n" + line[..end])));
                Assert.That(line[end..], Is.EqualTo($",\"hash\":\"{previous}\"}}"), $"{file}, line {number} of the chain");
                using JsonDocument json = JsonDocument.Parse(line);
                events.Add(json.RootElement.GetProperty("event").Clone());
            }
            part++;
            JsonElement header = events[^(lines.Length - 1)];
            Assert.That((header.GetProperty("kind").GetString(), header.GetProperty("part").GetInt32(), header.GetProperty("format").GetString()), Is.EqualTo(("file", part, "nhi-audit/1")), file);
            Assert.That(header.GetProperty("chain").GetGuid(), Is.EqualTo(events[0].GetProperty("chain").GetGuid()));
        }
        return events;
    }

    /// <summary>The targets of the audit events.</summary>
    protected static IEnumerable<string> Targets(IEnumerable<JsonElement> events) => events.Where(one => one.TryGetProperty("unmapped", out _)).Select(one => one.GetProperty("unmapped").GetProperty("target").GetString()!);

    /// <summary>What the chain says of itself: file, recovered, end.</summary>
    protected static IEnumerable<string> Marks(IEnumerable<JsonElement> events) => events.Where(one => one.TryGetProperty("kind", out _)).Select(one => one.GetProperty("kind").GetString()!);
}
