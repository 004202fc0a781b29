namespace Nhi.TokenExchange.Tests;

/// <summary>What is whole, against what is only not at fault.</summary>
internal sealed class WholeTrailTests : AuditTrailFixture
{
    [Test]
    public void A_chain_that_has_its_beginning_and_its_end_is_whole([Values] bool isAnchored)
    {
        ChainFiles chain = SmallChain().WriteTo(Folder);
        Assert.That(Verify(isAnchored ? [chain.Anchor] : []).IsWhole, Is.True);
    }

    [Test]
    public void Nothing_is_not_whole() => Assert.That((Verify().IsIntact, Verify().IsWhole), Is.EqualTo((true, false)));

    [Test]
    public void A_chain_whose_last_lines_were_cut_off_is_not_whole()
    {
        ChainFiles chain = OneFile();
        Write(chain, 1, chain.Parts[0].SkipLast(2));
        Assert.That((Verify().IsIntact, Verify().IsWhole), Is.EqualTo((true, false)));
    }

    [Test]
    public void One_chain_that_has_not_ended_makes_the_folder_not_whole()
    {
        SmallChain().WriteTo(Folder);
        new ChainFiles(pid: 4712).Part().Add(SampleEvents.All[0]).WriteTo(Folder);
        Assert.That((Verify().IsIntact, Verify().IsWhole), Is.EqualTo((true, false)));
    }

    [Test]
    public void A_chain_without_its_first_part_is_not_whole_though_an_anchor_vouches_for_it()
    {
        ChainFiles chain = new ChainFiles().Part().Add(SampleEvents.All.Take(2));
        string anchor = chain.Anchor;
        chain.Part().Add(SampleEvents.All[4]).End().WriteTo(Folder);
        File.Delete(Path.Combine(Folder, chain.NameOf(1)));
        Assert.That((Verify(anchor).IsIntact, Verify(anchor).IsWhole), Is.EqualTo((true, false)));
    }

    [Test]
    public void A_chain_that_was_taken_away_is_missed_by_its_anchor()
    {
        SmallChain().WriteTo(Folder);
        string gone = new ChainFiles(pid: 4712).Part().Anchor;
        Assert.That(Verify(gone).IsWhole, Is.False);
    }

    [Test]
    public void A_changed_line_is_not_whole()
    {
        ChainFiles chain = OneFile();
        Write(chain, 1, chain.Parts[0].Select((line, at) => at == 2 ? line.Replace("orders-nightly", "orders-daily", StringComparison.Ordinal) : line));
        Assert.That((Verify().IsIntact, Verify().IsWhole), Is.EqualTo((false, false)));
    }

    [Test]
    public void A_finding_of_no_line_has_none() =>
        Assert.That(Verify(new ChainFiles().Part().Anchor).Faults.Single().ToString(), Does.StartWith($"{Folder} has no file of the chain of anchor"));

    [Test]
    public void An_anchor_of_another_form_is_refused_by_the_name_of_its_parameter() =>
        Assert.That(() => Verify("4711"), Throws.ArgumentException.With.Property("ParamName").EqualTo("anchors"));

    [Test]
    public void A_first_line_that_does_not_hold_says_how_many_lines_behind_it_were_not_verified()
    {
        ChainFiles chain = OneFile();
        Write(chain, 1, chain.Parts[0].Select((line, at) => at == 0 ? line.Replace("node-1", "node-2", StringComparison.Ordinal) : line));

        Assert.That(Verify().Faults.Single().What, Is.EqualTo("was changed: its hash is not that of its bytes; the 7 lines behind it were not verified"));
    }
}
