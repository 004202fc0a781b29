using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tests;

/// <summary>Faults S4 and S6 to S8: what kind of file it is, whose, and who else may write it.</summary>
[Platform(Exclude = "Win", Reason = "modes, owners, links and FIFOs of Unix")]
[UnsupportedOSPlatform("windows")]
internal sealed class OidcFileSafetyTests : OidcFileFixture
{
    [Test]
    [CancelAfter(60_000)]
    public async Task S4_Each_reader_sees_one_whole_version_while_the_link_is_swapped(CancellationToken cancellationToken)
    {
        // As the kubelet does it: token -> ..data/token, ..data -> a dated folder, a new link renamed over the old one.
        static string Version(int number) => Proofs.With(("jti", $"{number}"), ("pad", new string((char)('a' + (number % 26)), 2000)));
        void Publish(int number)
        {
            string dated = Path.Join(Folder, $"..dated{number}");
            Directory.CreateDirectory(dated);
            File.WriteAllText(Path.Join(dated, "token"), Version(number));
            File.CreateSymbolicLink(Path.Join(Folder, "..data_tmp"), dated);
            Native.Rename(Path.Join(Folder, "..data_tmp"), Path.Join(Folder, "..data"));
        }
        int last = 0;
        Publish(last);
        File.CreateSymbolicLink(FilePath, Path.Join("..data", "token"));
        IWorkloadIdentitySource source = IdentitySources.OidcFile(FilePath, new OidcFileOptions { AllowWorldReadable = false });
        Task<int>[] readers = [.. Enumerable.Range(0, 100).Select(_ => Task.Run(async () =>
        {
            var seen = new HashSet<int>();
            for (int read = 0; read < 20; read++)
            {
                string token = (await source.GetSubjectTokenAsync(Proofs.Request(Time), cancellationToken)).Reveal();
                int number = int.Parse(JwtReader.Read(token)["jti"]!, System.Globalization.CultureInfo.InvariantCulture);
                Assert.That(token, Is.EqualTo(Version(number)));
                seen.Add(number);
            }
            return seen.Count;
        }))];
        // On this thread, which is not the pool's: a hundred readers keep the pool to themselves.
        while (last < 1_000 && !readers.All(reader => reader.IsCompleted))
            Publish(++last);
        Assert.That(await Task.WhenAll(readers), Has.Some.GreaterThan(1), "somebody saw a swap");
        Assert.That((await source.GetSubjectTokenAsync(Proofs.Request(Time), default)).Reveal(), Is.EqualTo(Version(last)));
    }

    [Test]
    public void S6_A_file_of_another_user_is_refused_with_mode_and_owner()
    {
        if (Native.EffectiveUser != 0)
            Assert.Ignore("only root can give a file to another user");
        Write(Proofs.With());
        File.SetUnixFileMode(FilePath, UnixFileMode.UserRead);
        Native.ChangeOwner(FilePath, 4711);
        IdentityUnavailableException refused = Refused();
        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.ProofFileUnsafe, false)));
        Assert.That(refused.Message, Does.Contain("belongs to user 4711").And.Contain("mode 400"));
    }

    [Test]
    public void S6_A_file_that_can_not_be_read_is_final_with_mode_and_owner()
    {
        Write(Proofs.With());
        File.SetUnixFileMode(FilePath, UnixFileMode.None);
        File.SetUnixFileMode(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        // Root reads any file, so a thread that is nobody does it; the source itself would go to the pool.
        var refused = Assert.Throws<IdentityUnavailableException>(() => Native.AsNobody(() => new ProofFile(FilePath, allowWorldReadable: true).Read()))!;
        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.ProofFileUnsafe, false)));
        Assert.That(refused.Message, Does.Contain("mode 000").And.Contain("owner"));
    }

    [TestCase(UnixFileMode.GroupWrite)]
    [TestCase(UnixFileMode.OtherWrite)]
    public void A_file_that_others_can_write_is_refused_M6(UnixFileMode open)
    {
        Write(Proofs.With());
        File.SetUnixFileMode(FilePath, UnixFileMode.UserRead | UnixFileMode.UserWrite | open);
        Assert.That(Refused(), Has.Property("Code").EqualTo(ErrorCodes.ProofFileUnsafe).And.Message.Contains("written by others"));
    }

    [Test]
    public async Task S7_A_file_that_all_can_read_is_taken_by_default_and_refused_where_that_is_said()
    {
        Write(Proofs.With());
        File.SetUnixFileMode(FilePath, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        Assert.That((await GetAsync()).Reveal(), Is.EqualTo(Proofs.With()));
        Assert.That(Refused(new OidcFileOptions { AllowWorldReadable = false }).Message, Does.Contain("every user").And.Contain("mode 444"));
        Directory.CreateDirectory(Path.Join(Folder, "..data"));
        Assert.That((await GetAsync(new OidcFileOptions { AllowWorldReadable = false })).Reveal(), Is.EqualTo(Proofs.With()), "a projected volume: the platform sets the mode");
    }

    [Test]
    public void A_folder_in_which_all_may_replace_the_file_is_refused_M6()
    {
        Write(Proofs.With());
        UnixFileMode all = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(Folder, all);
        Assert.That(Refused().Message, Does.Contain("may replace the file"));
        File.SetUnixFileMode(Folder, all | UnixFileMode.StickyBit);
        Assert.That(() => GetAsync(), Throws.Nothing);
    }

    [Test]
    public void A_link_that_somebody_else_made_is_not_followed_M6()
    {
        if (Native.EffectiveUser != 0)
            Assert.Ignore("only root can give a link to another user");
        File.WriteAllText(FilePath + ".real", Proofs.With());
        File.CreateSymbolicLink(FilePath, FilePath + ".real");
        Assert.That(() => GetAsync(), Throws.Nothing);
        Native.ChangeOwnerOfLink(FilePath, 4711);
        Assert.That(Refused().Message, Does.Contain("link made by user 4711"));
    }

    [Test]
    public void S8_A_directory_is_refused()
    {
        Directory.CreateDirectory(FilePath);
        Assert.That(Refused(), Has.Property("Code").EqualTo(ErrorCodes.ProofFileUnsafe).And.Message.Contains("a directory"));
    }

    [Test]
    [CancelAfter(10_000)]
    public void S8_A_FIFO_is_refused_without_waiting_for_a_writer(CancellationToken cancellationToken)
    {
        Native.MakeFifo(FilePath);
        var refused = Assert.ThrowsAsync<IdentityUnavailableException>(() => GetAsync().WaitAsync(cancellationToken))!;
        Assert.That(refused.Message, Does.Contain("a FIFO"));
    }

    [Test]
    [CancelAfter(10_000)]
    public async Task S8_A_FIFO_opens_without_waiting_and_is_known_by_its_handle(CancellationToken cancellationToken)
    {
        Native.MakeFifo(FilePath);
        using Microsoft.Win32.SafeHandles.SafeFileHandle handle = await Task.Run(() => UnixOpen.ToRead(FilePath), cancellationToken).WaitAsync(cancellationToken);
        Assert.That(UnixFile.Of(handle)?.Kind, Is.EqualTo("a FIFO"));
    }

    [Test]
    [CancelAfter(30_000)]
    public async Task S8_A_FIFO_that_takes_the_files_name_at_any_moment_stops_nobody(CancellationToken cancellationToken)
    {
        Write(Proofs.With());
        var file = new ProofFile(FilePath, allowWorldReadable: true);
        Task reading = Task.Run(() =>
        {
            for (int read = 0; read < 2_000; read++)
            {
                try
                {
                    Assert.That(file.Read(), Is.EqualTo(Proofs.With()));
                }
                catch (IdentityUnavailableException refused)
                {
                    Assert.That(refused.Message, Does.Contain("a FIFO"));
                }
            }
        }, cancellationToken);
        while (!reading.IsCompleted && !cancellationToken.IsCancellationRequested)
        {
            Native.MakeFifo(FilePath + ".fifo");
            Native.Rename(FilePath + ".fifo", FilePath);
            await File.WriteAllTextAsync(FilePath + ".new", Proofs.With(), CancellationToken.None);
            Native.Rename(FilePath + ".new", FilePath);
        }
        await reading.WaitAsync(cancellationToken);   // how often it met which of the two is the scheduler's to say
        Assert.That(file.Read(), Is.EqualTo(Proofs.With()));
    }

    [Test]
    [Platform("Linux", Reason = "a regular file of this process of which the first page can never be read")]
    public void A_file_that_fails_in_passing_is_looked_at_again()
    {
        IWorkloadIdentitySource source = IdentitySources.OidcFile("/proc/self/mem");
        var failed = Assert.ThrowsAsync<IdentityUnavailableException>(() => Time.RunAsync(source.GetSubjectTokenAsync(Proofs.Request(Time), default)))!;
        Assert.That((failed.Code, failed.IsTransient), Is.EqualTo((ErrorCodes.ProofUnavailable, true)));
        Assert.That(failed.Message, Does.Contain("could not be read").And.Contain("IOException"));
        Assert.That(Time.GetUtcNow() - Proofs.Now, Is.EqualTo(TimeSpan.FromSeconds(1)), "looked three times more within a second");
    }

    [Test]
    public void A_folder_of_another_user_is_refused_M6()
    {
        if (Native.EffectiveUser != 0)
            Assert.Ignore("only root can give a folder to another user");
        Write(Proofs.With());
        Native.ChangeOwner(Folder, 4711);
        Assert.That(Refused().Message, Does.Contain("folder").And.Contain("belongs to user 4711"));
    }

    [TestCase("0755", true)]
    [TestCase("1777", true)]
    [TestCase("3777", true, Description = "as kubelet leaves an emptyDir in memory under fsGroup")]
    [TestCase("2755", true)]
    [TestCase("0775", false)]
    [TestCase("2775", false)]
    public void A_folder_in_which_a_group_may_replace_the_file_is_refused_but_not_a_mount_of_kubelets_M6(string mode, bool isTaken)
    {
        Write(Proofs.With());
        File.SetUnixFileMode(Folder, (UnixFileMode)Convert.ToInt32(mode, 8));
        if (isTaken)
            Assert.That(() => GetAsync(), Throws.Nothing);
        else
            Assert.That(Refused(), Has.Property("Code").EqualTo(ErrorCodes.ProofFileUnsafe).And.Message.Contains("may replace the file"));
    }

    [Test]
    public void S8_A_device_is_refused()
    {
        File.CreateSymbolicLink(FilePath, "/dev/zero");
        Assert.That(Refused().Message, Does.Contain("a device"));
    }

    [TestCase(100L * 1024)]
    [TestCase(1L * 1024 * 1024 * 1024)]
    public void S8_A_file_that_is_too_long_is_not_read(long length)
    {
        using (FileStream sparse = File.Create(FilePath))
            sparse.SetLength(length);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(Refused().Message, Does.Contain($"{length} bytes"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(10_000_000));
    }

    [Test]
    public void Facts_of_a_file_are_what_the_framework_says_where_it_says_them()
    {
        Write("twelve bytes");
        File.SetUnixFileMode(FilePath, UnixFileMode.UserRead | UnixFileMode.GroupExecute);
        UnixFile file = UnixFile.At(FilePath)!.Value;
        Assert.That((file.IsRegular, file.Octal, file.Size, file.Owner), Is.EqualTo((true, "410", 12UL, Native.EffectiveUser)));
        Assert.That(UnixFile.At(Path.Join(Folder, "none")), Is.Null);
        using Microsoft.Win32.SafeHandles.SafeFileHandle handle = File.OpenHandle(FilePath);
        Assert.That(UnixFile.Of(handle), Is.EqualTo(file));
    }
}
