using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text;

namespace Nhi.TokenExchange.Tests;

/// <summary>Whatever lies in the folder of the audit: it is refused with a word, read once, in bounded memory, and never a crash.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class HostileTrailTests : AuditTrailFixture
{
    private const string Name = "evil.audit.jsonl";

    private string Evil => Path.Combine(Folder, Name);

    [Test]
    public void A_link_is_not_followed()
    {
        File.CreateSymbolicLink(Evil, "/dev/zero");
        AssertRefused("is a symbolic link, not a regular file");
    }

    [Test]
    public void A_FIFO_is_not_waited_for()
    {
        using var made = Process.Start("mkfifo", Evil);
        made.WaitForExit();
        AssertRefused("is a FIFO, not a regular file");
    }

    [Test]
    public void A_directory_is_no_file()
    {
        Directory.CreateDirectory(Evil);
        AssertRefused("is a directory, not a regular file");
    }

    [Test]
    public void An_empty_file_is_a_fault()
    {
        File.WriteAllText(Evil, "");
        AssertRefused("is not whole");
    }

    [TestCase("\n")]
    [TestCase("hello\n")]
    [TestCase("{}\n")]
    [TestCase("{\"seq\":1,\"prev\":\"\",\"event\":{},\"hash\":\"\"}\n")]
    [TestCase("\uFEFF{\"seq\":1}\n")]
    [TestCase("{\"seq\":99999999999999999999,\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"event\":\n")]
    public void What_is_no_line_of_an_audit_file_is_refused(string text)
    {
        File.WriteAllText(Evil, text);
        AssertRefused("is no line of an audit file");
    }

    [TestCase("[]", "no object")]
    [TestCase("{\"kind\":\"file\"", "is no JSON")]
    [TestCase("{\"kind\":\"file\",\"kind\":\"file\"}", "a name twice")]
    [TestCase("{\"kind\":\"file\",\"format\":\"nhi-audit/2\"}", "another format than nhi-audit/1")]
    [TestCase("{\"kind\":\"file\",\"format\":\"nhi-audit/1\",\"chain\":7}", "which part of which chain")]
    [TestCase("{\"kind\":\"file\",\"format\":\"nhi-audit/1\",\"chain\":\"\\ud800\",\"part\":1}", "half of a surrogate pair")]
    [TestCase("{\"kind\":\"file\",\"format\":\"nhi-audit/1\",\"chain\":\"00000000-0000-0000-0000-000000000001\",\"part\":99999999999,\"pid\":1,\"started\":\"2026-11-03T02:00:00Z\"}", "which part of which chain")]
    [TestCase("{\"kind\":\"end\",\"events\":0}", "which part of which chain")]
    public void A_first_line_that_says_nothing_of_use_is_refused(string header, string what)
    {
        File.WriteAllText(Evil, ChainText.Line(1, new string('0', 64), header) + "\n");
        AssertRefused(what);
    }

    [TestCase("{\"unmapped\":{\"kind\":\"Issued\"}}", "has an event that has no 'job'")]
    [TestCase("{\"unmapped\":7}", "'unmapped' that is not an object")]
    [TestCase("{}", "has no 'unmapped'")]
    [TestCase("{\"kind\":7}", "has no 'unmapped'")]
    [TestCase("{\"a\":1,\"a\":2}", "a name twice")]
    [TestCase("{\"unmapped\":{\"kind\":\"\\ud800\"}}", "half of a surrogate pair")]
    [TestCase("{\"\\ud800\":1}", "half of a surrogate pair")]
    [TestCase("{\"unmapped\":{\"kind\":\"\\u001b[2J\"}}", "is of a kind that is not known, '\\u001b[2J'")]
    [TestCase("{\"a\":NaN}", "is no JSON")]
    [TestCase("\"text\"", "no object")]
    public void An_event_that_fits_its_chain_and_is_none_is_a_fault(string json, string what)
    {
        ChainFiles chain = new ChainFiles().Part().Add(SampleEvents.All[0]).Add(json).WriteTo(Folder);
        AuditFinding fault = Verify().Faults.Single();

        Assert.That((Place(fault), fault.What), Is.EqualTo(($"{chain.NameOf(1)}:3", fault.What)));
        Assert.That(fault.What, Does.Contain(what).Or.Contains("is no JSON"));
        Assert.That(fault.ToString().All(c => c is >= ' ' and <= '~'), fault.ToString());
    }

    [TestCase("\"caller\":{\"id\":\"process 4711 started 99\"", "\"caller\":{\"id\":\"\"", "caller")]
    [TestCase("\"name\":\"process\",\"process\":", "\"name\":\"\",\"process\":", "caller")]
    [TestCase("\"process\":4711", "\"process\":-1", "process")]
    [TestCase("\"owner\":\"data-platform\"", "\"owner\":\"\"", null)]
    [TestCase("\"secret\":\"secret/data/billing#key\"", "\"secret\":\"\"", null)]
    [TestCase("\"version\":\"4\"", "\"version\":\"\"", null)]
    [TestCase("\"value\":\"orders-nightly\"", "\"value\":\"\"", null)]
    [TestCase("\"origin\":\"configuration\"", "\"origin\":\"\"", null)]
    [TestCase("\"reason\":\"it is shown once, to this process\"", "\"reason\":\"\"", "visibleToOperators")]
    [TestCase("\"repository\":\"shop/orders\"", "\"\":\"\"", null)]
    [TestCase("\"scopesGranted\":[\"sql\"]", "\"scopesGranted\":[\"\"]", "scopesGranted")]
    [TestCase("\"resources\":[\"https://warehouse.example\"]", "\"resources\":[\"\"]", null)]
    public void An_event_with_an_empty_text_is_a_fault_or_none_and_no_crash_and_the_other_chains_are_told(string good, string bad, string? what)
    {
        string json = EventText.Of(SampleEvents.Full);
        Assert.That(json, Does.Contain(good), "there is something to change");
        ChainFiles chain = new ChainFiles(pid: 1).Part().Add(json.Replace(good, bad, StringComparison.Ordinal)).WriteTo(Folder);
        OneFile().WriteTo(Folder);

        AuditTrail trail = AuditTrail.Verify(Folder, onRecord: new AuditTimeline(TextWriter.Null).Add);

        Assert.That(trail.Faults.Select(Place), Is.EqualTo(what is null ? [] : new[] { $"{chain.NameOf(1)}:2" }));
        Assert.That(trail.Faults.Select(fault => fault.What), Is.All.Contains($"'{what}'"));
        Assert.That(trail.Chains.Count(one => one.IsEnded && one.Fault is null), Is.EqualTo(1));
    }

    [Test]
    public void What_is_nested_without_end_is_refused()
    {
        new ChainFiles().Part().Add("{\"a\":" + new string('[', 100_000) + new string(']', 100_000) + "}").WriteTo(Folder);
        Assert.That(Verify().Faults.Single().What, Does.Contain("nested too deep"));
    }

    [Test]
    public void A_line_without_end_is_not_held_in_memory()
    {
        ChainFiles chain = new ChainFiles().Part().WriteTo(Folder);
        string file = Path.Combine(Folder, chain.NameOf(1));
        using (FileStream sparse = new(file, FileMode.Open, FileAccess.Write))
            sparse.SetLength(4L << 30);   // four gigabytes of zeros, of which the disk has none
        long before = GC.GetAllocatedBytesForCurrentThread();

        AuditTrail trail = Verify();

        Assert.That(trail.Faults.Single().What, Does.StartWith("is longer than"));
        Assert.That((Place(trail.Faults[0]), GC.GetAllocatedBytesForCurrentThread() - before), Is.EqualTo(($"{chain.NameOf(1)}:2", 0L)).Using<(string, long)>((one, other) => one.Item1 == other.Item1 && Math.Abs(one.Item2 - other.Item2) < 16 << 20));
    }

    [Test]
    public void Memory_does_not_grow_with_the_number_of_lines()
    {
        ChainFiles chain = new ChainFiles().Part().Add(Enumerable.Repeat(SampleEvents.All.Single(one => one.Kind == AuditEventKind.Issued), 3000)).WriteTo(Folder);
        long most = 0, at = GC.GetTotalMemory(forceFullCollection: true);
        int seen = 0;

        AuditTrail.Verify(Folder, onRecord: _ =>
        {
            if (++seen % 1000 == 0)
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - at);
        });

        Assert.That(seen, Is.EqualTo(3000));
        Assert.That(most, Is.LessThan(new FileInfo(Path.Combine(Folder, chain.NameOf(1))).Length / 2), "the trail itself is not held");
    }

    [Test]
    public void Intents_without_end_are_counted_and_not_all_kept()
    {
        AuditEvent intent = SampleEvents.All.Single(one => one.Kind == AuditEventKind.Exchanging);
        new ChainFiles().Part().Add(Enumerable.Range(1, 10_050).Select(n => EventOf(intent, n))).WriteTo(Folder);

        AuditTrail trail = Verify();

        Assert.That((trail.OpenIntents.Count, trail.OpenIntentsLeftOut), Is.EqualTo((10_000, 50L)));
        Assert.That(trail.ToString(), Does.EndWith("and 50 more exchanges that could not be followed: nothing is said of their outcome"));
    }

    [Test]
    public void A_file_that_may_not_be_read_is_a_fault_of_that_file_alone()
    {
        ChainFiles chain = OneFile().WriteTo(Folder);
        File.WriteAllText(Evil, "x");
        File.SetUnixFileMode(Evil, UnixFileMode.None);

        AuditTrail trail = Verify();

        Assert.That(trail.Chains.Single().Id, Is.EqualTo(chain.Id));
        Assert.That(trail.Faults.Select(Place), Is.EqualTo(new[] { Name + ":1" }));   // for root: no line of ours
    }

    [Test]
    public void A_name_of_a_file_cannot_write_on_the_auditors_screen()
    {
        File.WriteAllText(Path.Combine(Folder, "\u001b[2Jx\n\u202E.audit.jsonl"), "x\n");
        string told = Verify().Faults.Single().ToString();
        Assert.That(told, Does.Contain("\\u001b[2Jx\\u000a\\u202e.audit.jsonl:1 is no line"));
        Assert.That(told.All(c => c is >= ' ' and <= '~'), told);
    }

    [Test]
    public void Random_bytes_never_crash_it([Range(1, 8)] int seed)
    {
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        byte[] good = Encoding.UTF8.GetBytes(string.Concat(OneFile().Parts[0].Select(line => line + '\n')));
        for (int round = 0; round < 200; round++)
        {
            byte[] bytes = random.Next(4) == 0 ? new byte[random.Next(3000)] : [.. good];
            if (bytes.Length != good.Length)
                random.NextBytes(bytes);
            for (int blows = random.Next(1, 6); blows > 0 && bytes.Length > 0; blows--)
            {
                int at = random.Next(bytes.Length);
                random.NextBytes(bytes.AsSpan(at, random.Next(Math.Min(40, bytes.Length - at)) + 1));
            }
            File.WriteAllBytes(Evil, bytes);
            if (!bytes.AsSpan().SequenceEqual(good))
                Assert.That(Verify() is { IsIntact: true, Chains: [{ IsEnded: true }] }, Is.False, $"round {round}");
        }
    }

    private static AuditEvent EventOf(AuditEvent intent, int flight) => new()
    {
        Kind = intent.Kind, At = intent.At, FlightId = new Guid(flight, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), Target = intent.Target, Job = JobContext.Unnamed,
    };

    private void AssertRefused(string what)
    {
        AuditTrail trail = Verify();
        Assert.That(trail.Chains, Is.Empty);
        Assert.That(trail.Faults.Select(Place), Is.EqualTo(new[] { Name + ":1" }));
        Assert.That(trail.Faults[0].What, Does.Contain(what));
    }
}
