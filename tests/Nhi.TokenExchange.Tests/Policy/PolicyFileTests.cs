using System.Globalization;
using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>A policy in a file that changes while the job runs: a greater revision counts as soon as it is seen; whatever else happens to the file takes nothing away and gives nothing.</summary>
internal sealed class PolicyFileTests : PolicyFileFixture
{
    [Test]
    public async Task A_greater_revision_ends_what_the_one_before_granted_and_decides_anew()
    {
        Put(Document(7));
        await using JobSession job = await StartAsync();
        CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");
        BearerToken old = await warehouse.GetAsync();

        Put(Document(8, scope: "write"));
        await SeenAsync(() => Issuer.Revoked.Contains(old), "the end of what revision 7 granted");

        Assert.That(await warehouse.GetAsync(), Is.Not.SameAs(old));
        AuditEvent[] issued = [.. Audit.Events.Where(one => one.Kind == AuditEventKind.Issued)];
        Assert.That(issued.Select(one => $"{one.PolicyRevision![..9]} {one.Scopes}"), Is.EqualTo(["7+sha256: read", "8+sha256: write"]));
        Assert.That(Log.Text, Does.Match("Policy .*nhi.policy.json is in force: revision 8\\+sha256:[0-9a-f]{64}, 1 rules"));
    }

    [Test]
    public async Task A_revision_that_denies_ends_a_running_grant()
    {
        Put(Document(7));
        await using JobSession job = await StartAsync();
        CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");
        BearerToken old = await warehouse.GetAsync();

        Put(Policies.Text(8));
        await SeenAsync(() => Issuer.Revoked.Contains(old), "the end of what revision 7 granted");

        Assert.That(Assert.ThrowsAsync<AccessDeniedException>(() => warehouse.GetAsync().AsTask())!.Rule, Is.EqualTo("default-deny"));
    }

    [Test]
    public async Task The_system_tells_of_a_change_without_a_look_of_ours()
    {
        Put(Document(7));
        await using JobSession job = await StartAsync();
        if (Log.Text.Contains("are not told by the system", StringComparison.Ordinal))
            Assert.Ignore("the watches of this user are used up");

        Put(Document(8));

        await Eventually.HoldsAsync(() => FileOf(job).Document.Number == 8, "revision 8, by the watch alone");
    }

    [TestCase(6, "write", "its revision 6 is older than 7: a file that was put back")]
    [TestCase(7, "write", "its revision 7 is the one in force, with other contents: raise it")]
    public async Task B52_A_revision_that_is_not_greater_is_refused_and_told(long revision, string scope, string reason)
    {
        Put(Document(7));
        await using JobSession job = await StartAsync();
        string inForce = FileOf(job).Revision;
        BearerToken held = await job.Provider<BearerToken>("warehouse").GetAsync();

        Put(Document(revision, scope));
        await SeenAsync(() => FileOf(job).Trouble is not null, "the refusal");

        Assert.That((FileOf(job).Trouble, FileOf(job).Revision), Is.EqualTo((reason, inForce)));
        Assert.That(Log.Text, Does.Contain($"as it is now is refused, and revision {inForce} stays in force: {reason}"));
        Assert.That(await job.Provider<BearerToken>("warehouse").GetAsync(), Is.SameAs(held));
        Put(Document(7));
        await SeenAsync(() => FileOf(job).Trouble is null, "the end of the trouble");
        Assert.That(Log.Text, Does.Contain("is again as it is in force"));
    }

    [Test]
    public async Task A_file_that_vanishes_or_cannot_be_read_or_is_no_policy_takes_nothing_away()
    {
        Put(Document(7));
        await using JobSession job = await StartAsync();
        BearerToken held = await job.Provider<BearerToken>("warehouse").GetAsync();

        File.Delete(PolicyPath);
        await RefusedAsync("the file is not there, or can't be seen by this user");
        Directory.CreateDirectory(PolicyPath);
        await RefusedAsync("is a directory, not a regular file");
        Directory.Delete(PolicyPath);
        if (!OperatingSystem.IsWindows())
        {
            File.CreateSymbolicLink(PolicyPath, PolicyPath);   // goes round in a circle, for root, too
            await RefusedAsync("can't be read (IOException)");
        }
        Put(Document(7), UnixFileMode.None);   // root reads that all the same
        if (!OperatingSystem.IsWindows() && !Environment.IsPrivilegedProcess)
            await RefusedAsync("can't be read (UnauthorizedAccessException)");
        Put(Document(8).Replace("permit", "Permit", StringComparison.Ordinal));
        await RefusedAsync("rules[0].effect: is none of the two words. Write permit or forbid, in these letters.");
        Put(new string(' ', DocumentReading.MaxBytes + 1));
        await RefusedAsync("has more than 1048576 bytes");

        Assert.That(await job.Provider<BearerToken>("warehouse").GetAsync(), Is.SameAs(held));
        Put(Document(8));
        await SeenAsync(() => FileOf(job).Document.Number == 8, "revision 8");
        Assert.That(FileOf(job).Trouble, Is.Null);

        Task RefusedAsync(string reason) => SeenAsync(() => FileOf(job).Trouble?.Contains(reason, StringComparison.Ordinal) is true, reason);
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "modes of Unix")]
    [UnsupportedOSPlatform("windows")]
    public async Task A_version_that_others_could_have_written_is_refused()
    {
        Put(Document(7));
        await using JobSession job = await StartAsync();

        Put(Document(8), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherWrite);
        await SeenAsync(() => FileOf(job).Trouble is not null, "the refusal");

        Assert.That(FileOf(job).Trouble, Does.Contain("can be written by others than its owner (mode 602)"));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "links of Unix")]
    public async Task A_mounted_ConfigMap_that_is_swapped_by_its_link_is_followed()
    {
        foreach (int revision in new[] { 7, 8 })
        {
            string version = Directory.CreateDirectory(Path.Join(Folder, string.Create(CultureInfo.InvariantCulture, $"..v{revision}"))).FullName;
            File.WriteAllText(Path.Join(version, "nhi.policy.json"), Document(revision));
        }
        Directory.CreateSymbolicLink(Path.Join(Folder, "..data"), "..v7");
        File.CreateSymbolicLink(PolicyPath, Path.Join("..data", "nhi.policy.json"));
        await using JobSession job = await StartAsync();

        Directory.CreateSymbolicLink(Path.Join(Folder, "..data_tmp"), "..v8");
        Native.Rename(Path.Join(Folder, "..data_tmp"), Path.Join(Folder, "..data"));

        await SeenAsync(() => FileOf(job).Document.Number == 8, "revision 8");
    }

    [Test]
    public async Task A_change_to_observing_is_told_in_the_log()
    {
        Put(Document(7));
        await using JobSession job = await StartAsync();

        Put(Policies.Text(8).Replace("\"revision\"", "\"mode\": \"observe\", \"revision\"", StringComparison.Ordinal));

        await SeenAsync(() => Log.Text.Contains("only observes (revision 8+sha256:", StringComparison.Ordinal), "the line of the log");
        Assert.That(FileOf(job).Document.IsObserved, Is.True);
    }

    [Test]
    public async Task A_path_that_is_not_absolute_is_beside_the_program()
    {
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => StartAsync(b => b.PolicyFile("no-such.policy.json")))!;
        Assert.That(refused.Message, Does.Contain($"PolicyFile: names '{Path.Join(AppContext.BaseDirectory, "no-such.policy.json")}', which is not there"));

        string beside = Path.Join(AppContext.BaseDirectory, $"{Guid.NewGuid():N}.policy.json");
        File.WriteAllText(beside, Document(3));
        try
        {
            await using JobSession job = await StartAsync(b => b.PolicyFile(Path.GetFileName(beside)));
            Assert.That(FileOf(job).Document.Number, Is.EqualTo(3));
        }
        finally
        {
            File.Delete(beside);
        }
    }

    [Test]
    public void Two_policies_are_one_too_many()
    {
        Put(Document(7));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => StartAsync(b => b.Policy(new TestPolicy())))!;

        Assert.That(refused.Message, Does.StartWith("NHI1001 PolicyFile: names a policy, while code gives another. Give one:"));
    }

    [Test]
    public void What_killed_jobs_left_behind_waits_for_a_policy_that_can_be_read()
    {
        Put("{");
        string journal = Path.Join(Folder, "journal");

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => JobSession.RecoverAsync(b => b
            .Identity("job", TestProofs.Source(Time), ActsFor.Workload).Target("warehouse", Issuer, identity: "job").PolicyFile(PolicyPath).Journal(journal).Time(Time)))!;

        Assert.That(refused.Message, Does.StartWith("NHI1006 PolicyFile: nhi.policy.json(1,2): ends before the document does"));
    }

    [Test]
    public void A_file_that_is_rewritten_while_it_is_read_is_not_put_together_of_two_versions()
    {
        byte[] old = Padded(7), next = Padded(8);
        int reads = 0;
        int ReadAt(Span<byte> buffer, long offset)
        {
            ReadOnlySpan<byte> now = (reads++ == 0 ? old : next).AsSpan(offset > next.Length ? next.Length : (int)offset);
            int length = Math.Min(now.Length, buffer.Length);
            now[..length].CopyTo(buffer);
            return length;
        }

        byte[]? read = PolicyFileReading.ReadTwice(ReadAt, out _);

        Assert.That(read, Is.EqualTo(next));

        // Longer than one piece; what is withdrawn stands in the first, the number in the last.
        static byte[] Padded(int revision) => System.Text.Encoding.UTF8.GetBytes(
            $$"""{ "version": 1, "rules": [ {{Policies.Permit(revision == 7 ? "old" : "new", """{ "target": "warehouse" }""")}} ], {{new string(' ', 40_000)}} "revision": {{revision}} }""");
    }

    [Test]
    public void A_file_that_does_not_come_to_rest_is_left_alone()
    {
        int reads = 0;

        Assert.That(PolicyFileReading.ReadTwice((buffer, offset) => WriteOne(buffer, offset), out string what), Is.Null);
        Assert.That(what, Is.EqualTo("is being written"));

        int WriteOne(Span<byte> buffer, long offset)
        {
            if (offset > 0)
                return 0;
            buffer[0] = (byte)reads++;
            return 1;
        }
    }

    [Test]
    public async Task A_version_that_was_refused_is_refused_by_what_is_in_force_now_when_it_comes_back()
    {
        Put(Document(7));
        await using JobSession job = await StartAsync();
        Put(Document(7, scope: "write"));
        await SeenAsync(() => FileOf(job).Trouble is not null, "the refusal");
        Put(Document(8));
        await SeenAsync(() => FileOf(job).Document.Number == 8, "revision 8");

        Put(Document(7, scope: "write"));
        await SeenAsync(() => FileOf(job).Trouble is not null, "the refusal");

        Assert.That(FileOf(job).Trouble, Is.EqualTo("its revision 7 is older than 8: a file that was put back"));
    }

    [Test]
    public async Task A_version_that_leaves_a_target_without_a_permit_says_so_when_it_comes_into_force()
    {
        Put(Document(7));
        await using JobSession job = await StartAsync();

        Put(Policies.Text(8, Policies.Permit("lake", """{ "target": "lake" }""")));

        await SeenAsync(() => Log.Text.Contains("warehouse will be denied: no rule of policy 8+sha256:", StringComparison.Ordinal), "the line of the log");
    }
}
