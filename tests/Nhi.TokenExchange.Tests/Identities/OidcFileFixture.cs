using System.Runtime.InteropServices;
using System.Text;

namespace Nhi.TokenExchange.Tests;

/// <summary>A file with a proof in a temporary folder, a manual clock, and the source that reads it.</summary>
internal abstract class OidcFileFixture
{
    protected ManualTimeProvider Time { get; private set; } = new();

    protected string Folder { get; private set; } = "";

    protected string FilePath => Path.Join(Folder, "token");

    [SetUp]
    public void MakeFolder()
    {
        Time = new ManualTimeProvider();
        Folder = Directory.CreateTempSubdirectory("nhi-proof-").FullName;
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(Folder, recursive: true);

    protected void Write(string text) => File.WriteAllText(FilePath, text);

    protected async Task<SubjectToken> GetAsync(OidcFileOptions? options = null) =>
        await Time.RunAsync(IdentitySources.OidcFile(FilePath, options).GetSubjectTokenAsync(Proofs.Request(Time), CancellationToken.None));

    protected IdentityUnavailableException Refused(OidcFileOptions? options = null)
    {
        var refused = Assert.ThrowsAsync<IdentityUnavailableException>(() => GetAsync(options))!;
        Assert.That(refused.ToString(), Does.Not.Contain(Proofs.With()[..12]), "the canary");
        Assert.That(refused.Hint, Is.Not.Null.And.Not.Empty);
        return refused;
    }

    // Until the source waits on the manual clock. The read itself is real, so this waits for it.
    protected Task TimerAsync() => Eventually.HoldsAsync(() => Time.PendingTimers > 0, "the source's wait on the clock");

    /// <summary>What the framework has no call for.</summary>
    protected static class Native
    {
        public static uint EffectiveUser => geteuid();

        public static void MakeFifo(string path) => Assert.That(mkfifo(Text(path), 0x180), Is.Zero);

        public static void ChangeOwner(string path, uint owner) => Assert.That(chown(Text(path), owner, owner), Is.Zero);

        public static void ChangeOwnerOfLink(string path, uint owner) => Assert.That(lchown(Text(path), owner, owner), Is.Zero);

        // File.Move refuses a link over a link to a folder.
        public static void Rename(string from, string to) => Assert.That(rename(Text(from), Text(to)), Is.Zero);

        /// <summary>Runs on a thread that sees files as a user without rights; elsewhere than on Linux, or as such a user already, just runs.</summary>
        public static T AsNobody<T>(Func<T> action)
        {
            if (!OperatingSystem.IsLinux() || EffectiveUser != 0)
                return action();
            T result = default!;
            System.Runtime.ExceptionServices.ExceptionDispatchInfo? failure = null;
            var thread = new Thread(() =>
            {
                _ = setfsuid(65534);   // of this thread alone, which ends with the action
                try
                {
                    result = action();
                }
                catch (Exception exception)
                {
                    failure = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(exception);
                }
            });
            thread.Start();
            thread.Join();
            failure?.Throw();
            return result;
        }

        [DllImport("libc")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int setfsuid(uint user);

        private static byte[] Text(string path) => Encoding.UTF8.GetBytes(path + '\0');

        [DllImport("libc")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern uint geteuid();

        [DllImport("libc")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int mkfifo(byte[] path, uint mode);

        [DllImport("libc")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int chown(byte[] path, uint owner, uint group);

        [DllImport("libc")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int lchown(byte[] path, uint owner, uint group);

        [DllImport("libc")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int rename(byte[] from, byte[] to);
    }
}
