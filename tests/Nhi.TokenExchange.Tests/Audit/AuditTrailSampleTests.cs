namespace Nhi.TokenExchange.Tests;

/// <summary>The auditor's command of docs/controls.md, as it is built: what it says and how it ends.</summary>
internal sealed class AuditTrailSampleTests : AuditTrailFixture
{
    [Test]
    public async Task A_whole_trail_is_intact_and_its_story_is_told_whatever_the_pipeline_is_called()
    {
        OneFile().WriteTo(Folder);
        (string said, int exitCode) = await RunAsync(Folder);
        Assert.That((exitCode, said), Is.EqualTo((0, said)));
        Assert.That(said, Does.StartWith("INTACT: 1 chain").And.Contain("pipeline orders-nightly, run 4711").And.Contain("warehouse issued: 801bdea5953a4b7e").And.Contain("longest hand-out"));
    }

    [Test]
    public async Task A_trail_that_was_tampered_with_is_not_and_the_line_is_named()
    {
        ChainFiles chain = OneFile();
        Write(chain, 1, chain.Parts[0].Select((line, i) => i == 2 ? line.Replace("warehouse", "Warehouse", StringComparison.Ordinal) : line));
        (string said, int exitCode) = await RunAsync(Folder);
        Assert.That((exitCode, said), Is.EqualTo((1, said)));
        Assert.That(said, Does.StartWith("NOT INTACT").And.Contain($"{chain.NameOf(1)}:3 was changed"));
    }

    [Test]
    public async Task Of_a_job_that_was_killed_what_it_held_is_named_and_of_one_that_let_go_what_lives_on()
    {
        new ChainFiles().Part().Add(SampleEvents.All.Where(one => one.Kind is AuditEventKind.Issued)).WriteTo(Folder);
        new ChainFiles(pid: 5, pipeline: "customers").Part().Add(SampleEvents.All.Where(one => one.Kind is AuditEventKind.Orphaned).Select(one => new AuditEvent
        {
            Kind = one.Kind, At = one.At, FlightId = Guid.NewGuid(), Target = "lake", Job = one.Job, Code = one.Code, Fingerprint = "ffff000011112222", DiesAt = one.DiesAt,
        })).End().WriteTo(Folder);
        (string said, int exitCode) = await RunAsync(Folder);
        Assert.That((exitCode, said), Is.EqualTo((2, said)));
        Assert.That(said, Does.StartWith("INTACT, 1 NOT ENDED"));
        Assert.That(said, Does.Match("not ended: its job runs, or was killed: .*:2 .* warehouse Issued 801bdea5953a4b7e, dies at "));
        Assert.That(said, Does.Match("let go, and outlives its job: .* lake Orphaned ffff000011112222, dies at "));
    }

    [Test]
    public async Task A_chain_without_its_first_parts_is_not_well_though_an_anchor_vouches_for_them()
    {
        ChainFiles chain = SmallChain().WriteTo(Folder);
        File.Delete(Path.Combine(Folder, chain.NameOf(1)));
        (string said, int exitCode) = await RunAsync(Folder, $"{chain.Id}:{chain.Parts[0].Count}:{chain.Parts[0][^1][^66..^2]}");
        Assert.That((exitCode, said), Is.EqualTo((2, said)));
        Assert.That(said, Does.StartWith("INTACT, 1 WITHOUT ITS FIRST PARTS"));
    }

    [Test]
    public async Task A_folder_that_is_not_there_and_an_anchor_that_is_none_are_told_without_a_stack()
    {
        (string said, int exitCode) = await RunAsync(Path.Combine(Folder, "nowhere"));
        Assert.That((exitCode, said), Is.EqualTo((66, said)));
        Assert.That(said, Does.Contain("NHI6010").And.Contain("is not there").And.Not.Contain("   at "));
        (said, exitCode) = await RunAsync(Folder, "no:anchor");
        Assert.That((exitCode, said), Is.EqualTo((64, said)));
        Assert.That(said, Does.Contain("'no:anchor' is no anchor").And.Not.Contain("   at "));
        Assert.That((await RunAsync()).ExitCode, Is.EqualTo(64));
    }

    private static Task<(string Said, int ExitCode)> RunAsync(params string[] args) => ChildProcess.RunSampleAsync("AuditTrail", args);
}
