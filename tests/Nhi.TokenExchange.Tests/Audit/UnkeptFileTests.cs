using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tests;

/// <summary>A disk that fails when a further file of the chain has its name already: its events stand nowhere, or once.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class UnkeptFileTests : AuditFolderFixture
{
    [Test]
    public async Task A_file_that_has_its_name_and_cannot_be_kept_counts_as_not_made([Values] bool failsToDelete, [Values] bool failsToFlush)
    {
        AuditFileSink sink = Start(partBytes: 2_000);
        (Disk.FailsToDelete, Disk.FailsToFlushNames) = (failsToDelete, failsToFlush);
        int recorded = await RecordUntilRefusedAsync(sink);
        if (failsToDelete || failsToFlush)
            await RefusedAsync(WriteAsync(sink, "lost-again"));

        (Disk.FailsToDelete, Disk.FailsToFlushNames) = (false, false);
        await WriteAsync(sink, "after");
        await sink.EndAsync();

        Assert.That(Targets(FollowChain(Files())), Is.EqualTo(Enumerable.Range(0, recorded).Select(i => $"t{i}").Append("after")));
        AuditTrail trail = AuditTrail.Verify(Folder, [sink.LastAnchor!]);
        Assert.That((trail.IsIntact, trail.Chains.Single().IsEnded), Is.EqualTo((true, true)), trail.ToString());
        Assert.That(Directory.GetFiles(Folder), Has.None.EndsWith(".new"));
    }

    [Test]
    public async Task Until_it_is_taken_away_nothing_is_written_into_the_file_before_it_either()
    {
        AuditFileSink probe = Start();
        await WriteAsync(probe, "t");
        await probe.EndAsync();
        string ended = Files().Single();
        int fits = TextOf(ended).Split('\n')[..2].Sum(line => line.Length + 1) + AuditMark.Of(Event("t")).Length;
        File.Delete(ended);
        AuditFileSink sink = Start(partBytes: fits + 20);
        await WriteAsync(sink, "t");
        Disk.FailsToDelete = true;
        await RefusedAsync(WriteAsync(sink, new string('l', 100)));   // it wants a file of its own

        await RefusedAsync(WriteAsync(sink, "t"));   // it would fit

        Disk.FailsToDelete = false;
        await WriteAsync(sink, "t");
        await sink.EndAsync();
        FollowChain(Files());
        Assert.That(Targets(FollowChain([Files()[0]])), Is.EqualTo(new[] { "t", "t" }));
    }

    [Test]
    public async Task A_first_file_that_cannot_be_kept_refuses_the_start([Values] bool failsToFlush)
    {
        (Disk.FailsToDelete, Disk.FailsToFlushNames) = (!failsToFlush, failsToFlush);
        TokenExchangeException refused = Assert.Throws<TokenExchangeException>(() => Start())!;
        Assert.That((refused.Code, refused.Message), Is.EqualTo(("NHI6002", refused.Message)));
        if (failsToFlush)
            Assert.That(Files(), Is.Empty);
        (Disk.FailsToDelete, Disk.FailsToFlushNames) = (false, false);
        await Start().EndAsync();
    }

    // The events are written one by one, until one wants a file that can't be kept; or until several files are there.
    private async Task<int> RecordUntilRefusedAsync(AuditFileSink sink)
    {
        for (int i = 0; i < 8; i++)
        {
            try
            {
                await WriteAsync(sink, $"t{i}");
            }
            catch (IOException)
            {
                return i;
            }
        }
        Assert.That((Disk.FailsToDelete, Disk.FailsToFlushNames), Is.EqualTo((false, false)), "it was to be refused");
        return 8;
    }
}
