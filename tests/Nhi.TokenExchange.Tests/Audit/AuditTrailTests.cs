using System.Globalization;

namespace Nhi.TokenExchange.Tests;

/// <summary>A trail that nobody touched: told whole, in parts, running, killed, anchored; its records in order.</summary>
internal sealed class AuditTrailTests : AuditTrailFixture
{
    [Test]
    public void A_trail_that_nobody_touched_is_intact()
    {
        ChainFiles files = SmallChain().WriteTo(Folder);
        var records = new List<AuditRecord>();

        AuditTrail trail = AuditTrail.Verify(Folder, [files.Anchor], records.Add);

        Assert.That(trail.IsIntact, trail.ToString());
        AuditChain chain = trail.Chains.Single();
        Assert.That((chain.Id, chain.Events, chain.IsEnded, chain.TornTail, chain.Fault, chain.Anchor), Is.EqualTo((files.Id, 5L, true, (AuditFinding?)null, (AuditFinding?)null, files.Anchor)));
        Assert.That(chain.Files.Select(Path.GetFileName), Is.EqualTo(new[] { files.NameOf(1), files.NameOf(2), files.NameOf(3) }));
        Assert.That(chain.AnchoredTo, Is.EqualTo(9));
        Assert.That(records.Select(one => (one.Event.Kind, one.Sequence, Place(one))), Is.EqualTo(new[]
        {
            (AuditEventKind.Attested, 2L, files.NameOf(1) + ":2"), (AuditEventKind.Permitted, 3, files.NameOf(1) + ":3"), (AuditEventKind.Exchanging, 5, files.NameOf(2) + ":2"),
            (AuditEventKind.Issued, 6, files.NameOf(2) + ":3"), (AuditEventKind.Revoked, 8, files.NameOf(3) + ":2"),
        }));
        Assert.That(EventText.Of(records[3].Event), Is.EqualTo(EventText.Of(SampleEvents.All[4])));
        Assert.That(trail.ToString(), Does.StartWith("INTACT: 1 chain, 5 events, 0 faults").And.Contains("anchored up to line 9, ended"));
    }

    [Test]
    public void A_records_anchor_is_one_that_the_trail_meets()
    {
        SmallChain().WriteTo(Folder);
        var anchors = new List<string>();
        AuditTrail.Verify(Folder, onRecord: one => anchors.Add(one.Anchor));

        AuditTrail trail = Verify([.. anchors]);

        Assert.That((trail.IsIntact, trail.Chains[0].AnchoredTo), Is.EqualTo((true, 8L)));
    }

    [TestCase(1, 2)]
    [TestCase(2, 3)]
    public void A_chain_whose_first_parts_were_moved_away_holds_on_the_word_of_an_anchor_of_their_last_line(int moved, int first)
    {
        ChainFiles files = SmallChain().WriteTo(Folder);
        for (int part = 1; part <= moved; part++)
            File.Delete(Path.Combine(Folder, files.NameOf(part)));
        long before = files.Parts.Take(moved).Sum(lines => (long)lines.Count);
        string anchor = $"{files.Id}:{before}:{files.Parts[moved - 1][^1][^66..^2]}", other = $"{files.Id}:{before}:{new string('0', 64)}", earlier = $"{files.Id}:{before - 1}:{files.Parts[moved - 1][^2][^66..^2]}";

        AuditTrail trail = Verify(anchor, earlier);

        Assert.That((trail.IsIntact, trail.Chains[0].FirstPart, trail.Chains[0].AnchoredTo, trail.Chains[0].IsEnded), Is.EqualTo((true, first, before, true)), trail.ToString());
        Assert.That(trail.ToString(), Does.StartWith("INTACT, 1 WITHOUT ITS FIRST PARTS: 1 chain").And.Contain($"from part {first} on, on the word of an anchor"));
        Assert.That(Verify().Faults.Single().What, Does.Contain($"and part 1 is missing"));
        Assert.That((Verify(other).IsIntact, Verify(anchor, other).IsIntact, Verify(earlier).IsIntact), Is.EqualTo((false, false, false)));
        Assert.That(Verify(anchor, files.Anchor).Chains[0].AnchoredTo, Is.EqualTo(9), "anchors behind count as ever");
    }

    [Test]
    public void One_file_alone_may_have_any_name()
    {
        string file = Path.Combine(Folder, "evidence-17.txt");
        File.WriteAllLines(file, OneFile().Parts[0]);

        Assert.That(AuditTrail.Verify(file).IsIntact);
        Assert.That(AuditTrail.Verify(Folder).Chains, Is.Empty, "in a folder, only files named as ours are read");
    }

    [Test]
    public void Chains_of_several_processes_are_told_apart_the_oldest_first()
    {
        new ChainFiles(pid: 30, startedAt: 9).Part().Add(SampleEvents.All[0]).WriteTo(Folder);
        new ChainFiles(pid: 20, startedAt: 3).Part().Add(SampleEvents.All.Take(2)).End().WriteTo(Folder);

        AuditTrail trail = Verify();

        Assert.That(trail.IsIntact, trail.ToString());
        Assert.That(trail.Chains.Select(chain => (chain.Events, chain.IsEnded)), Is.EqualTo(new[] { (2L, true), (1L, false) }));
    }

    [Test]
    public void What_its_process_noticed_is_no_event_and_no_fault_and_is_told()
    {
        new ChainFiles().Part().Add(SampleEvents.All[0]).Part().Add("""{"kind":"recovered","cut":17,"at":"2026-11-03T02:00:00.0000000Z","found":"part 1 was given another mode\\u202e"}""").Add(SampleEvents.All[1]).End().WriteTo(Folder);

        AuditTrail trail = Verify();

        Assert.That((trail.IsIntact, trail.Chains[0].Events), Is.EqualTo((true, 2L)));
        Assert.That(Place(trail.Chains[0].Recoveries.Single()), Does.EndWith(".2.audit.jsonl:2"));
        Assert.That(trail.ToString(), Does.StartWith("INTACT, NOT UNDISTURBED: ").And.Match(@"noticed while it was written: .*\.2\.audit\.jsonl:2 says: part 1 was given another mode\\u202e"));
    }

    [TestCase("")]
    [TestCase(",\"found\":7")]
    public void One_that_does_not_say_what_was_noticed_is_a_fault(string found)
    {
        new ChainFiles().Part().Add($$"""{"kind":"recovered","cut":0{{found}}}""").End().WriteTo(Folder);
        Assert.That(Verify().Faults.Single().What, Does.Contain("and not from what"));
    }

    [Test]
    public void Of_what_is_noticed_for_ever_a_thousand_are_kept_and_the_rest_is_counted()
    {
        ChainFiles chain = new ChainFiles().Part();
        for (int i = 0; i < 1003; i++)
            chain.Add("""{"kind":"recovered","cut":0,"found":"part 1 was deleted"}""");
        chain.WriteTo(Folder);
        Assert.That(Verify().Chains[0].Recoveries, Has.Count.EqualTo(1000));
        Assert.That(Verify().ToString(), Does.Contain("and 3 more"));
    }

    [Test]
    public void An_event_of_a_kind_that_a_later_version_added_is_no_fault_and_is_counted()
    {
        new ChainFiles().Part().Add(EventText.Of(SampleEvents.All[0]).Replace("\"kind\":\"Attested\"", "\"kind\":\"Delegated\"", StringComparison.Ordinal)).Add(SampleEvents.All[1]).WriteTo(Folder);
        var told = new List<AuditEventKind>();
        AuditTrail trail = AuditTrail.Verify(Folder, onRecord: record => told.Add(record.Event.Kind));
        Assert.That((trail.IsIntact, trail.Chains[0].Events, trail.Chains[0].LaterEvents), Is.EqualTo((true, 2L, 1L)), trail.ToString());
        Assert.That(told, Is.EqualTo(new[] { AuditEventKind.Permitted }));
        Assert.That(trail.ToString(), Does.StartWith("INTACT, 1 NOT ENDED, 1 EVENTS OF A LATER VERSION"));
    }

    [Test]
    public void An_intent_without_an_outcome_is_told_and_one_with_any_outcome_is_not()
    {
        AuditEvent intent = SampleEvents.All.Single(one => one.Kind == AuditEventKind.Exchanging);
        foreach (AuditEventKind outcome in Enum.GetValues<AuditEventKind>())
        {
            ChainFiles files = new ChainFiles().Part().Add(intent, SampleEvents.All.Single(one => one.Kind == outcome)).WriteTo(Folder);
            bool says = outcome is not (AuditEventKind.Attested or AuditEventKind.Permitted or AuditEventKind.Denied or AuditEventKind.Exchanging or AuditEventKind.JobCutShort or AuditEventKind.CallerRefused);

            Assert.That(Verify().OpenIntents.Select(Place), Is.EqualTo(says ? [] : new[] { $"{files.NameOf(1)}:{(outcome == AuditEventKind.Exchanging ? 3 : 2)}" }), outcome.ToString());
        }
        Assert.That(Verify().ToString(), Does.Contain("intent without an outcome: ").And.Contains("target 'warehouse'").And.Contains(SampleEvents.Flight.ToString()));
    }

    [Test]
    public void An_intent_of_a_killed_job_is_answered_by_the_job_that_recovers_it()
    {
        new ChainFiles(pid: 20, startedAt: 1).Part().Add(SampleEvents.All.Single(one => one.Kind == AuditEventKind.Exchanging)).WriteTo(Folder);
        Assert.That(Verify().OpenIntents, Has.Count.EqualTo(1));

        new ChainFiles(pid: 10, startedAt: 5).Part().Add(SampleEvents.All.Single(one => one.Kind == AuditEventKind.Recovered)).End().WriteTo(Folder);

        Assert.That(Verify().OpenIntents, Is.Empty);
    }

    [Test]
    public void An_answer_of_a_recoverer_whose_clock_is_behind_is_one()
    {
        AuditEvent intent = SampleEvents.All.Single(one => one.Kind == AuditEventKind.Exchanging);
        var recovered = new AuditEvent { Kind = AuditEventKind.Recovered, At = intent.At, SessionId = Guid.NewGuid(), FlightId = intent.FlightId, Target = intent.Target, Job = intent.Job };
        new ChainFiles(pid: 10, startedAt: 1).Part().Add(recovered).End().WriteTo(Folder);
        new ChainFiles(pid: 20, startedAt: 5).Part().Add(intent).WriteTo(Folder);

        Assert.That(Verify().OpenIntents, Is.Empty);
    }

    [Test]
    public void Of_a_folder_without_files_it_is_said_that_there_is_nothing() => Assert.That(Verify().ToString(), Is.EqualTo("NOTHING TO VERIFY: 0 chains, 0 events, 0 faults"));

    [TestCase("0001-01-01T00:00:00Z", "00:00:00")]
    [TestCase("2026-01-01T00:00:00Z", "-10675199.02:48:05.4775808")]
    [TestCase("2026-01-01T00:00:00Z", "10675199.02:48:05.4775807")]
    public void An_event_of_a_time_that_cannot_be_is_a_fault_and_no_crash_of_its_readers(string at, string elapsed)
    {
        var impossible = new AuditEvent
        {
            Kind = AuditEventKind.Attested, At = DateTimeOffset.Parse(at, CultureInfo.InvariantCulture), Elapsed = TimeSpan.Parse(elapsed, CultureInfo.InvariantCulture), FlightId = Guid.Empty, Target = "warehouse", Job = SampleEvents.All[0].Job,
        };
        new ChainFiles().Part().Add(SampleEvents.All[0]).Add(impossible).End().WriteTo(Folder);

        AuditTrail trail = AuditTrail.Verify(Folder, onRecord: new AuditTimeline(TextWriter.Null).Add);

        Assert.That(trail.Faults.Single().Line, Is.EqualTo(3), trail.ToString());
    }

    [Test]
    public void A_finding_is_one_line_of_visible_letters_whatever_a_file_is_called() =>
        Assert.That(new AuditFinding("a.audit.jsonl", 1, "is also 'b\u001b[2J\n.audit.jsonl'").What, Is.EqualTo("is also 'b\\u001b[2J\\u000a.audit.jsonl'"));

    [TestCase(typeof(InvalidOperationException))]
    [TestCase(typeof(ObjectDisposedException))]
    [TestCase(typeof(FormatException))]
    public void What_the_caller_throws_is_his_and_no_fault_of_the_trail(Type what)
    {
        SmallChain().WriteTo(Folder);
        Assert.That(() => AuditTrail.Verify(Folder, onRecord: _ => throw (Exception)Activator.CreateInstance(what, "mine")!), Throws.TypeOf(what).With.Message.Contains("mine"));
    }

    [Test]
    public void A_folder_that_is_not_there_is_an_error_of_its_own() =>
        Assert.That(Assert.Throws<TokenExchangeException>(() => AuditTrail.Verify(Path.Combine(Folder, "none")))!.Code, Is.EqualTo("NHI6010"));

    [TestCase("")]
    [TestCase("5a5a0000-0000-4000-0000-000000000000:1")]
    [TestCase("5a5a0000-0000-4000-0000-000000000000:0:aa")]
    [TestCase("orders:1:\u001b[2J")]
    public void An_anchor_of_another_form_is_an_argument_error(string anchor)
    {
        string message = Assert.Throws<ArgumentException>(() => Verify(anchor))!.Message;
        Assert.That((message.Contains("is no anchor", StringComparison.Ordinal), message.Contains('\u001b', StringComparison.Ordinal)), Is.EqualTo((true, false)), message);
    }

    [Test]
    public void Giving_up_is_heard()
    {
        SmallChain().WriteTo(Folder);
        Assert.Throws<OperationCanceledException>(() => AuditTrail.Verify(Folder, cancellationToken: new CancellationToken(canceled: true)));
    }

    private static string Place(AuditRecord one) => $"{Path.GetFileName(one.File)}:{one.Line}";
}
