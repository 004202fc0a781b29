using System.Text;

namespace Nhi.TokenExchange.Tests;

/// <summary>Each change of a trail is found, and at its line: every bit, every line, every cut. What can't be found is said, too: a chain computed anew, and a tail cut off, by their anchor alone.</summary>
[Parallelizable]
internal sealed class TamperedTrailTests : AuditTrailFixture
{
    [Test]
    public void B27_Each_bit_that_is_flipped_is_found_at_its_line()
    {
        ChainFiles chain = Shortest();
        string file = Path.Combine(Folder, chain.NameOf(1));
        byte[] bytes = Encoding.UTF8.GetBytes(string.Concat(chain.Parts[0].Select(line => line + '\n')));
        int line = 1;
        for (int at = 0; at < bytes.Length; at++)
        {
            byte original = bytes[at];
            for (int bit = 0; bit < 8; bit++)
            {
                bytes[at] = (byte)(original ^ (1 << bit));
                File.WriteAllBytes(file, bytes);
                AuditTrail trail = Verify();

                AuditFinding? found = trail.Faults.Count > 0 ? trail.Faults[0] : trail.Chains[0].TornTail;   // without the last line's end it is a torn one
                if (found is null || found.Line != line || trail is { IsIntact: true } && trail.Chains[0].IsEnded)
                    Assert.Fail($"bit {bit} of byte {at} in line {line}: {trail}");
            }
            bytes[at] = original;
            line += original == '\n' ? 1 : 0;
        }
        Assert.That(line, Is.EqualTo(5), "all lines were gone through");
    }

    [Test]
    public void B27_Each_line_that_is_taken_out_is_found_where_it_stood()
    {
        ChainFiles chain = OneFile();
        for (int taken = 1; taken < chain.Parts[0].Count; taken++)
        {
            Write(chain, 1, chain.Parts[0].Where((_, i) => i != taken - 1));

            AssertFault(chain.NameOf(1), taken, taken == 1 ? "does not say which part" : $"has the number {taken + 1}, where {taken} has to stand, which is missing");
        }
    }

    [Test]
    public void The_last_line_that_is_taken_out_leaves_a_chain_that_is_not_ended()
    {
        ChainFiles chain = OneFile();
        Write(chain, 1, chain.Parts[0].SkipLast(1));

        Assert.That((Verify().IsIntact, Verify().Chains[0].IsEnded), Is.EqualTo((true, false)));
        AssertFault(chain.NameOf(1), 8, "is missing: the anchor", chain.Anchor);
    }

    [Test]
    public void Any_two_lines_that_are_exchanged_are_found_at_the_first_of_them()
    {
        ChainFiles chain = OneFile();
        for (int first = 1; first <= 8; first++)
        {
            for (int second = first + 1; second <= 8; second++)
            {
                List<string> lines = [.. chain.Parts[0]];
                (lines[first - 1], lines[second - 1]) = (lines[second - 1], lines[first - 1]);
                Write(chain, 1, lines);

                AssertFault(chain.NameOf(1), first, first == 1 ? "does not say which part" : $"which stands in line {second}: lines were put in another order");
            }
        }
    }

    [Test]
    public void Each_line_that_stands_twice_is_found_wherever_the_copy_stands()
    {
        ChainFiles chain = OneFile();
        for (int copied = 1; copied <= 8; copied++)
        {
            for (int place = 2; place <= 9; place++)
            {
                List<string> lines = [.. chain.Parts[0]];
                lines.Insert(place - 1, chain.Parts[0][copied - 1]);
                Write(chain, 1, lines);

                // A copy right before its original is the same file as one right behind it.
                AssertFault(chain.NameOf(1), place == copied ? place + 1 : place, "where");
            }
        }
    }

    [Test]
    public void A_line_of_another_chain_that_is_put_in_is_found_at_its_place()
    {
        ChainFiles chain = OneFile();
        ChainFiles other = new ChainFiles(pid: 99).Part().Add(SampleEvents.All.Reverse().Take(6)).End();
        for (int place = 2; place <= 8; place++)
        {
            List<string> lines = [.. chain.Parts[0]];
            lines.Insert(place - 1, other.Parts[0][place - 1]);   // of the very number that is expected there
            Write(chain, 1, lines);

            AssertFault(chain.NameOf(1), place, "does not follow upon the line before it");
        }
    }

    [Test]
    public void A_line_that_is_made_to_fit_is_found_at_the_line_behind_it()
    {
        ChainFiles chain = OneFile();
        for (int place = 2; place <= 8; place++)
        {
            List<string> lines = [.. chain.Parts[0]];
            lines.Insert(place - 1, ChainText.Line(place, lines[place - 2][^66..^2], EventText.Of(SampleEvents.Full)));
            Write(chain, 1, lines);
            AssertFault(chain.NameOf(1), place + 1, $"has the number {place} once more");

            lines.RemoveAt(place);   // now it stands in the place of one
            Write(chain, 1, lines);
            if (place < 8)
                AssertFault(chain.NameOf(1), place + 1, "does not follow upon the line before it");
        }
    }

    [Test]
    public void Each_cut_within_a_line_leaves_a_torn_one_that_is_told_and_each_cut_is_found_by_an_anchor()
    {
        ChainFiles chain = Shortest();
        string file = Path.Combine(Folder, chain.NameOf(1));
        byte[] bytes = Encoding.UTF8.GetBytes(string.Concat(chain.Parts[0].Select(line => line + '\n')));
        for (int length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(file, bytes[..length]);
            int whole = bytes.AsSpan(0, length).Count((byte)'\n');
            AuditTrail trail = Verify();
            AuditTrail anchored = Verify(chain.Anchor);

            if (whole == 0)
            {
                Assert.That(trail.Faults.Select(Place), Is.EqualTo(new[] { chain.NameOf(1) + ":1" }), $"{length}");
                continue;
            }
            Assert.That((trail.IsIntact, trail.Chains[0].IsEnded, anchored.IsIntact), Is.EqualTo((true, false, false)), $"{length}");
            Assert.That(trail.Chains[0].TornTail?.Line, Is.EqualTo(bytes[length - 1] == '\n' ? (long?)null : whole + 1), $"{length}");
            Assert.That(anchored.Faults.Single().Line, Is.EqualTo(whole + 1), $"{length}");
        }
    }

    [Test]
    public void A_chain_that_is_computed_anew_is_found_by_its_anchor_alone()
    {
        ChainFiles chain = OneFile();
        for (int changed = 2; changed <= 8; changed++)
        {
            List<string> lines = [.. chain.Parts[0]];
            lines[changed - 1] = lines[changed - 1].Replace("2026", "2025", StringComparison.Ordinal);
            List<string> anew = ChainText.ComputedAnew(lines);
            Write(chain, 1, anew);

            Assert.That(Verify().IsIntact, "nothing in the file tells");
            foreach (int anchor in Enumerable.Range(1, 8))
            {
                string said = $"{chain.Id}:{anchor}:{chain.Parts[0][anchor - 1][^66..^2]}";
                AuditTrail trail = Verify(said);
                Assert.That((trail.IsIntact, trail.Chains[0].AnchoredTo), Is.EqualTo(anchor < changed ? (true, anchor) : (false, 0L)), $"changed {changed}, anchor {anchor}");
                if (anchor >= changed)
                    AssertFault(chain.NameOf(1), anchor, "the chain was computed anew, from this line or one before it", said);
            }
        }
    }

    [Test]
    public void The_first_of_several_anchors_that_is_not_met_tells()
    {
        ChainFiles chain = OneFile();
        List<string> lines = [.. chain.Parts[0]];
        lines[4] = lines[4].Replace("2026", "2025", StringComparison.Ordinal);
        Write(chain, 1, ChainText.ComputedAnew(lines));

        string[] anchors = [.. new[] { 8, 3, 6 }.Select(line => $"{chain.Id}:{line}:{chain.Parts[0][line - 1][^66..^2]}")];

        AssertFault(chain.NameOf(1), 6, "is not the one that the anchor", anchors);
        Assert.That(Verify(anchors).Chains[0].AnchoredTo, Is.EqualTo(3));
    }

    [Test]
    public void A_chain_of_which_no_file_is_left_is_found_by_its_anchor()
    {
        ChainFiles lost = new ChainFiles(pid: 99).Part().Add(SampleEvents.All[0]).End();
        OneFile().WriteTo(Folder);

        Assert.That(Verify(lost.Anchor).Faults.Single().What, Does.StartWith("has no file of the chain of anchor").And.Contains(lost.Anchor));
    }

    [TestCase(1, 2, "part 1 is missing")]
    [TestCase(2, 3, "part 2 is missing")]
    public void A_part_that_is_missing_is_found_at_the_next_one(int missing, int found, string what)
    {
        ChainFiles chain = SmallChain().WriteTo(Folder);
        File.Delete(Path.Combine(Folder, chain.NameOf(missing)));

        AssertFault(chain.NameOf(found), 1, what);
    }

    [Test]
    public void A_last_part_that_is_missing_leaves_a_chain_that_is_not_ended()
    {
        ChainFiles chain = SmallChain().WriteTo(Folder);
        File.Delete(Path.Combine(Folder, chain.NameOf(3)));

        Assert.That((Verify().IsIntact, Verify().Chains[0].IsEnded), Is.EqualTo((true, false)));
        AssertFault(chain.NameOf(2), 4, "is missing: the anchor", chain.Anchor);
    }

    [Test]
    public void Two_files_that_are_exchanged_are_found()
    {
        ChainFiles chain = SmallChain().WriteTo(Folder);
        Exchange(chain.NameOf(1), chain.NameOf(2));
        AssertFault(chain.NameOf(2), 1, "files were exchanged, or renamed");
    }

    [Test]
    public void Files_of_two_processes_that_are_exchanged_are_found()
    {
        ChainFiles one = OneFile().WriteTo(Folder);
        ChainFiles other = new ChainFiles(pid: 99).Part().Add(SampleEvents.All[0]).End().WriteTo(Folder);
        Exchange(one.NameOf(1), other.NameOf(1));

        Assert.That(Verify().Faults.Select(Place), Is.EquivalentTo(new[] { one.NameOf(1) + ":1", other.NameOf(1) + ":1" }));
    }

    [Test]
    public void A_part_that_stands_twice_is_found()
    {
        ChainFiles chain = SmallChain().WriteTo(Folder);
        File.Copy(Path.Combine(Folder, chain.NameOf(2)), Path.Combine(Folder, "z-copy.audit.jsonl"));

        AssertFault("z-copy.audit.jsonl", 1, "says that this is part 2, and so does");
    }

    [Test]
    public void Lines_moved_from_one_part_to_the_next_are_found()
    {
        ChainFiles chain = SmallChain();
        chain.WriteTo(Folder);
        Write(chain, 1, chain.Parts[0].SkipLast(1));
        Write(chain, 2, [chain.Parts[1][0], chain.Parts[0][^1], .. chain.Parts[1].Skip(1)]);

        AssertFault(chain.NameOf(2), 1, "has the number 4, where 3 has to stand");
    }

    [TestCase("""{"kind":"file","format":"nhi-audit/1","chain":"00000000-0000-0000-0000-000000000001","part":2,"pid":1,"started":"2026-11-03T02:00:00Z"}""", "has no place there")]
    [TestCase("""{"kind":"comment"}""", "has no place there")]
    [TestCase("""{"kind":"end","events":5,"at":"2026-11-03T03:00:00Z"}""", "another number of events than the 6 that there are")]
    [TestCase("""{"kind":"end"}""", "another number of events")]
    public void A_line_of_the_chain_itself_that_has_no_place_is_found(string json, string what)
    {
        ChainFiles chain = new ChainFiles().Part().Add(SampleEvents.All.Take(6)).Add(json).WriteTo(Folder);
        AssertFault(chain.NameOf(1), 8, what);
    }

    [Test]
    public void Nothing_may_follow_upon_the_end()
    {
        ChainFiles chain = OneFile().Add(SampleEvents.All[0]).WriteTo(Folder);
        AssertFault(chain.NameOf(1), 9, "follows upon the chain's end");

        chain = OneFile().Part().WriteTo(Folder);
        AssertFault(chain.NameOf(2), 1, "follows upon the chain's end");

        File.Delete(Path.Combine(Folder, chain.NameOf(2)));
        File.AppendAllText(Path.Combine(Folder, OneFile().WriteTo(Folder).NameOf(1)), "{");
        AssertFault(chain.NameOf(1), 9, "follows upon the chain's end");
    }

    [Test]
    public void A_torn_line_with_a_part_behind_it_is_found()
    {
        ChainFiles chain = SmallChain().WriteTo(Folder);
        File.AppendAllText(Path.Combine(Folder, chain.NameOf(1)), chain.Parts[1][0][..100]);

        AssertFault(chain.NameOf(1), 4, "has no end, and part 2 goes on without it");
    }

    [Test]
    public void A_tail_that_is_no_begun_line_is_found_and_zeros_are_a_crashs()
    {
        ChainFiles chain = new ChainFiles().Part().Add(SampleEvents.All[0]).WriteTo(Folder);
        string file = Path.Combine(Folder, chain.NameOf(1));
        foreach (string tail in new[] { "x", "{\"seq\":4,", chain.Parts[0][1][..90] })
        {
            File.WriteAllText(file, string.Concat(chain.Parts[0].Select(line => line + '\n')) + tail);
            AssertFault(chain.NameOf(1), 3, "is not the beginning of the line that has to stand there");
        }

        foreach (string page in new[] { new string('\0', 50), $"{{\"seq\":3,\"prev\":\"{chain.Parts[0][1][^66..^60]}{new string('\0', 4000)}" })
        {
            File.WriteAllText(file, string.Concat(chain.Parts[0].Select(line => line + '\n')) + page);
            Assert.That((Verify().IsIntact, Verify().Chains[0].TornTail?.Line), Is.EqualTo((true, 3L)));
        }
    }

    [Test]
    public void Records_before_the_fault_are_given_and_none_behind_it()
    {
        ChainFiles chain = OneFile();
        Write(chain, 1, chain.Parts[0].Select((line, i) => i == 4 ? line.Replace("2026", "2025", StringComparison.Ordinal) : line));
        var records = new List<AuditRecord>();

        AuditTrail.Verify(Folder, onRecord: records.Add);

        Assert.That(records.Select(one => one.Line), Is.EqualTo(new[] { 2L, 3, 4 }));
    }

    [Test]
    public void Random_mischief_is_found_at_or_before_its_first_line([Range(1, 12)] int seed)
    {
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (int round = 0; round < 60; round++)
        {
            ChainFiles chain = new ChainFiles().Part().Add(Enumerable.Range(0, random.Next(5, 30)).Select(_ => SampleEvents.All[random.Next(SampleEvents.All.Count)])).End();
            List<string> lines = [.. chain.Parts[0]];
            int first = int.MaxValue;
            for (int deeds = random.Next(1, 4); deeds > 0; deeds--)
            {
                int at = random.Next(1, lines.Count);
                first = Math.Min(first, at + 1);
                switch (random.Next(4))
                {
                    case 0 when lines.Count > 3:
                        lines.RemoveAt(at);
                        break;
                    case 1:
                        lines.Insert(at, lines[random.Next(lines.Count)]);
                        break;
                    case 2:
                        char[] line = lines[at].ToCharArray();
                        line[random.Next(line.Length)] ^= (char)(1 << random.Next(5));
                        lines[at] = new string(line);
                        break;
                    default:
                        lines.Reverse(at, random.Next(lines.Count - at) + 1);
                        break;
                }
            }
            if (lines.SequenceEqual(chain.Parts[0]))
                continue;
            Write(chain, 1, lines);
            int changed = lines.Zip(chain.Parts[0]).TakeWhile(pair => pair.First == pair.Second).Count() + 1;

            AuditTrail trail = Verify(chain.Anchor);

            Assert.That(trail.IsIntact, Is.False, $"round {round}");
            Assert.That(trail.Faults[0].Line, Is.EqualTo(changed), $"round {round}, {trail}");
        }
    }

    private void Exchange(string one, string other)
    {
        string aside = Path.Combine(Folder, "aside");
        File.Move(Path.Combine(Folder, one), aside);
        File.Move(Path.Combine(Folder, other), Path.Combine(Folder, one));
        File.Move(aside, Path.Combine(Folder, other));
    }

    private void AssertFault(string file, int line, string what, params string[] anchors)
    {
        AuditTrail trail = Verify(anchors);
        Assert.That(trail.Faults, Is.Not.Empty, $"expected at {file}:{line} {what}");
        Assert.That((Place(trail.Faults[0]), trail.Faults[0].What), Is.EqualTo(($"{file}:{line}", trail.Faults[0].What)));
        Assert.That(trail.Faults[0].What, Does.Contain(what));
    }
}
