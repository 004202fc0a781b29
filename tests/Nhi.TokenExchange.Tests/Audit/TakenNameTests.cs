using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.Json;

namespace Nhi.TokenExchange.Tests;

/// <summary>Somebody has the name of a chain's next file: it takes another, and says so.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class TakenNameTests : AuditFolderFixture
{
    [Test]
    public async Task The_chain_goes_on_under_another_name_which_its_second_line_says([Values("a file", "a FIFO", "a folder", "a link to nowhere")] string what)
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "before");
        string first = Files().Single();
        string taken = first.Replace(".audit.jsonl", ".2.audit.jsonl", StringComparison.Ordinal);
        Take(taken, what);
        File.Delete(first);   // so that the next event wants a file

        await WriteAsync(sink, "after");
        await sink.EndAsync();

        string next = first.Replace(".audit.jsonl", ".2.1.audit.jsonl", StringComparison.Ordinal);
        JsonElement[] events = [.. TextOf(next).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("event"))];
        Assert.That(events[0].GetProperty("part").GetInt32(), Is.EqualTo(2));
        Assert.That(events.Where(one => one.TryGetProperty("found", out _)).Select(one => one.GetProperty("found").GetString()), Is.EqualTo(new[] { "part 1 was deleted", "part 2 has another name, for 1 before it was taken" }));
        Assert.That(Targets(events), Is.EqualTo(new[] { "after" }));
        Assert.That(Log.Text, Does.Contain("has the name of the next file, and is not of this chain").And.Contain("NHI6003"));
    }

    [Test]
    public async Task The_verifier_takes_that_name_for_the_part_s_own()
    {
        AuditFileSink sink = Start(partBytes: 2_000);
        await WriteAsync(sink, "t0");
        string taken = Files().Single().Replace(".audit.jsonl", ".2.audit.jsonl", StringComparison.Ordinal);
        Take(taken, "a file");
        for (int i = 1; i < 8; i++)
            await WriteAsync(sink, $"t{i}");
        await sink.EndAsync();
        Assert.That(AuditTrail.Verify(Folder).Faults.Single().File, Is.EqualTo(taken), "what has the name is none");
        File.Delete(taken);

        var read = new List<string>();
        AuditTrail trail = AuditTrail.Verify(Folder, onRecord: record => read.Add(record.Event.Target));

        Assert.That((trail.IsIntact, trail.Chains.Single().IsEnded), Is.EqualTo((true, true)), trail.ToString());
        Assert.That(read, Is.EqualTo(Enumerable.Range(0, 8).Select(i => $"t{i}")));
    }

    private static void Take(string path, string what)
    {
        switch (what)
        {
            case "a file":
                File.WriteAllText(path, "another\n");
                break;
            case "a FIFO":
                using (var process = Process.Start("mkfifo", [path]))
                    process.WaitForExit();
                break;
            case "a folder":
                Directory.CreateDirectory(path);
                break;
            default:
                File.CreateSymbolicLink(path, path + ".nowhere");
                break;
        }
    }
}
