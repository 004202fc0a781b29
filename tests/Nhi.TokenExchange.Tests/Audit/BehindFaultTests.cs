namespace Nhi.TokenExchange.Tests;

/// <summary>Whoever may write the folder can break a chain, and hides nothing by that of what its job did.</summary>
internal sealed class BehindFaultTests : AuditTrailFixture
{
    private readonly List<AuditRecord> _told = [];

    [SetUp]
    public void Forget() => _told.Clear();

    [Test]
    public void An_end_that_is_forged_hides_nothing_of_later_parts()
    {
        ChainFiles chain = Noticed("part 1 was added to").WriteTo(Folder);
        string last = chain.Parts[0][^1];
        string end = ChainText.Line(chain.Parts[0].Count + 1, last[^66..^2], """{"kind":"end","events":2,"at":"2026-11-03T03:00:00.0000000Z"}""");
        Write(chain, 1, chain.Parts[0].Append(end));

        AuditTrail trail = Read();

        Assert.That(_told.Select(one => one.IsBehindFault), Is.EqualTo(new[] { false, false, true, true, true }), trail.ToString());
    }

    [TestCase(4711)]
    [TestCase(9999)]
    public void A_first_part_that_is_forged_hides_none_of_the_others(int process)
    {
        ChainFiles chain = SmallChain().WriteTo(Folder);
        Forge(chain, part: 1, process, "a");

        AuditTrail trail = Read();

        Assert.That(_told.Count(one => one.IsBehindFault), Is.EqualTo(5), trail.ToString());
        Assert.That(trail.Chains.Single().EventsBehindFault, Is.EqualTo(5));
    }

    [Test]
    public void A_second_part_that_is_forged_behind_a_fault_hides_none_of_the_others()
    {
        ChainFiles chain = SmallChain().WriteTo(Folder);
        Write(chain, 1, chain.Parts[0].Append("stranger"));
        Forge(chain, part: 2, process: 4711, "A");

        AuditTrail trail = Read();

        Assert.That(_told.Select(one => one.IsBehindFault), Is.EqualTo(new[] { false, false, true, true, true }), trail.ToString());
    }

    [Test]
    public void A_copy_tells_nothing_twice_and_what_only_begins_like_one_tells_the_rest()
    {
        ChainFiles chain = SmallChain().WriteTo(Folder);
        string first = Path.Combine(Folder, chain.NameOf(1)), copy = Path.Combine(Folder, "z.audit.jsonl"), header = Path.Combine(Folder, "a-4711-20261103T020000000.audit.jsonl");
        File.Copy(first, copy);
        Read();
        Assert.That(_told, Has.Count.EqualTo(5), "the copy is the fault");

        File.Delete(copy);
        _told.Clear();
        File.WriteAllText(header, chain.Parts[0][0] + '\n');
        Read();
        Assert.That(_told, Has.Count.EqualTo(5), "the first line alone stands for no part");
    }

    [TestCase("part 1 was deleted", true)]
    [TestCase("part 2 was deleted", false)]
    [TestCase("part 1 could not be written, and was cut back to its last whole line", false)]
    public void A_fault_is_explained_by_what_was_noticed_of_that_part_alone(string found, bool explains)
    {
        ChainFiles chain = Noticed(found).WriteTo(Folder);
        Write(chain, 1, chain.Parts[0].Select((line, at) => at == 1 ? line.Replace("warehouse", "Warehouse", StringComparison.Ordinal) : line));

        AuditChain read = Read().Chains.Single();

        Assert.That(read.Fault!.What, explains ? Does.Contain($"its process noticed: {found}") : Does.Not.Contain("noticed"));
        Assert.That(read.Recoveries.Single().What, Does.Contain(found), "it is told in any case");
    }

    [Test]
    public void What_a_caller_throws_is_the_callers()
    {
        ChainFiles chain = SmallChain().WriteTo(Folder);
        Write(chain, 1, chain.Parts[0].Append("stranger"));
        Assert.Throws<FormatException>(() => AuditTrail.Verify(Folder, onRecord: one =>
        {
            if (one.IsBehindFault)
                throw new FormatException("of the caller");
        }));
    }

    // Five events in three parts; the second says what was noticed.
    private static ChainFiles Noticed(string found) => new ChainFiles().Part().Add(SampleEvents.All.Take(2)).Part().Add($$"""{"kind":"recovered","cut":0,"at":"2026-11-03T02:30:00.0000000Z","found":"{{found}}"}""")
        .Add(SampleEvents.All.Skip(3).Take(2)).Part().Add(SampleEvents.All[7]).End();

    // A file of one line that says that it is this part of the chain; its name sorts first, and fits.
    private void Forge(ChainFiles chain, int part, int process, string name) => File.WriteAllText(
        Path.Combine(Folder, $"{name}-{process}-20261103T020000000{(part == 1 ? "" : ".2")}.audit.jsonl"),
        ChainText.Line(1, new string('0', 64), $$"""{"kind":"file","format":"nhi-audit/1","chain":"{{chain.Id}}","part":{{part}},"job":{"pipeline":"forged"},"pid":{{process}},"started":"2026-11-03T02:00:00.0000000Z"}""") + '\n');

    private AuditTrail Read() => AuditTrail.Verify(Folder, onRecord: _told.Add);
}
