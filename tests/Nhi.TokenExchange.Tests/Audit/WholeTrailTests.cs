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
}
