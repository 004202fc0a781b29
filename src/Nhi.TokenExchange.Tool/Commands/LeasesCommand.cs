using System.CommandLine;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary><c>nhi leases</c>: what jobs hold, and what killed ones left behind.</summary>
internal static class LeasesCommand
{
    public static Command Make(Screen screen) => new("leases", "Lists what jobs hold by their journals, ends it, recovers what earlier jobs left.") { MakeList(screen), MakeRevoke(screen), MakeRecover(screen) };

    private static Command MakeList(Screen screen)
    {
        var command = new Command("list", """
            Lists the credentials that the journals of jobs know no end of: those of running jobs, and those that earlier jobs, killed or ended, left behind. Asks no issuer.

            Example:
              nhi leases list --config appsettings.json
            """);
        JobSettings.AddTo(command);
        command.SetAction((line, _) => ReadingAsync(JobSettings.Read(line), screen, async settings =>
        {
            JournalFolder folder = JournalFolder.Open(settings.Journal!, Disk.System);
            (int left, int elsewhere, bool allRead) = (0, 0, true);
            foreach (string file in folder.Files())
            {
                (int Left, int Elsewhere)? found = await ListAsync(folder, file, screen).ConfigureAwait(false);
                (left, elsewhere, allRead) = (left + (found?.Left ?? 0), elsewhere + (found?.Elsewhere ?? 0), allRead && found is not null);
            }
            if (left > 0 || allRead)
                await screen.Output.WriteLineAsync(left == 0 ? "nothing was left behind" : $"{left} left behind: nhi leases recover ends them").ConfigureAwait(false);
            if (elsewhere > 0)
                await screen.Output.WriteLineAsync($"{elsewhere} of other hosts: only if those run their jobs no more, nhi leases recover --from-other-hosts ends them").ConfigureAwait(false);
            return allRead ? ExitCodes.Ok : ExitCodes.Audit;
        }));
        return command;
    }

    private static Command MakeRevoke(Screen screen)
    {
        var reason = new Option<string>("--reason") { Description = "Why, and on whose word; for the audit. One line.", Required = true };
        var target = new Option<string?>("--target", "-t") { Description = "The target of one credential, with --handle." };
        var handle = new Option<string?>("--handle") { Description = "What ends that one at its issuer: the id of a lease, an accessor, the name of a role, as a report or the audit says it." };
        var command = new Command("revoke", """
            Ends running jobs before their time, or one credential by its handle.

            Without --handle it throws the job's kill switch (the file of the setting KillSwitch): all jobs with that switch end, and give back what they hold. New ones don't start before the
            file is removed again, and one that is there already keeps its reason. A handle that neither the issuer nor a journal knows is a failure: it may be mistyped.

            Examples:
              nhi leases revoke --reason "INC-4711, Ada"
              nhi leases revoke --target database --handle database/creds/readonly/abc --reason "left by run 17"
            """) { reason, target, handle };
        JobSettings.AddTo(command);
        command.SetAction(async (line, cancellationToken) =>
        {
            string why = line.GetRequiredValue(reason);
            JobSettings settings = JobSettings.Read(line);
            return (line.GetValue(target), line.GetValue(handle)) switch
            {
                (null, null) => await ThrowSwitchAsync(settings, why, screen).ConfigureAwait(false),
                ({ } of, { } by) => await HandleRevocation.RunAsync(settings, of, by, why, screen, cancellationToken).ConfigureAwait(false),
                _ => throw new UsageException("--target and --handle: give both, or neither."),
            };
        });
        return command;
    }

    private static Command MakeRecover(Screen screen)
    {
        var others = new Option<bool>("--from-other-hosts") { Description = "Takes journals of other hosts, too: only when those run the job no more." };
        var command = new Command("recover", """
            Ends what earlier jobs left behind, killed or ended, as the next start of the job would. What running jobs hold is left alone.

            Example:
              nhi leases recover --config appsettings.json
            """) { others };
        JobSettings.AddTo(command);
        command.SetAction((line, cancellationToken) => ReadingAsync(JobSettings.Read(line), screen, async settings =>
        {
            RecoveryReport report = await screen.WhileAsync("ending what was left behind", _ => JobSession.RecoverAsync(settings.Compose, line.GetValue(others), cancellationToken)).ConfigureAwait(false);
            await screen.Output.WriteLineAsync(report.ToString()).ConfigureAwait(false);
            return report.AllEnded ? ExitCodes.Ok : ExitCodes.Unrevoked;
        }));
        return command;
    }

    // A folder that is mistyped or not mounted would seem to be one where nothing was left behind; and to look is no reason to make it.
    private static async Task<int> ReadingAsync(JobSettings settings, Screen screen, Func<JobSettings, Task<int>> read)
    {
        string path = settings.Journal ?? throw NoSetting("Journal", "the path of the folder where its jobs write down what they hold");
        try
        {
            return Directory.Exists(path)
                ? await read(settings).ConfigureAwait(false)
                : throw new TokenExchangeException(ErrorCodes.JournalUnsafe, ExchangeStage.Configure, $"The folder of journals '{ExceptionText.Clean(path, 200)}' is not there, or can't be seen by this user: nothing was read.") { Hint = "Correct the setting Journal, or mount the folder; a job's first start makes it." };
        }
        catch (TokenExchangeException unread) when (unread.Code == ErrorCodes.JournalUnsafe)
        {
            await screen.Error.WriteLineAsync(unread.Message).ConfigureAwait(false);
            return ExitCodes.Audit;
        }
    }

    /// <returns>How many were left behind here, and how many are of another host, whose jobs may run; null: it can't be read, which was said.</returns>
    private static async Task<(int Left, int Elsewhere)?> ListAsync(JournalFolder folder, string path, Screen screen)
    {
        JournalContent content;
        try
        {
            using JournalFile? file = JournalFile.Look(folder, path);
            if (file is null)
                return (0, 0);
            content = JournalContent.Read(file);
        }
        catch (TokenExchangeException unreadable)
        {
            await screen.Error.WriteLineAsync(unreadable.Message).ConfigureAwait(false);
            return null;
        }
        ProcessIdentity owner = content.Header.Process;
        bool runs = owner.Runs;
        string state = runs ? "runs" : owner.IsOfThisHost ? "runs no more" : "of another host";
        await screen.Output.WriteLineAsync($"{ExceptionText.Clean(content.Header.Job.ToString(), 500)}: {owner}, {state}, since {content.Header.StartedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z").ConfigureAwait(false);
        foreach (JournalEntry entry in content.Open.Values)
        {
            string what = entry.IsUnknown ? "an exchange in the air" : $"{entry.Fingerprint ?? "(exchange in the air)"}{(entry.Handle is null ? "" : $", handle {ExceptionText.Clean(entry.Handle, 300)}")}";
            string dies = entry.IsUnknown ? "" : entry.IsStatic ? ", static" : $", dies at {entry.DiesAt.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z";
            await screen.Output.WriteLineAsync($"  {entry.Target} {what}, of {entry.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z{dies}").ConfigureAwait(false);
        }
        return owner.IsOfThisHost ? (runs ? 0 : content.Open.Count, 0) : (0, content.Open.Count);
    }

    private static async Task<int> ThrowSwitchAsync(JobSettings settings, string reason, Screen screen)
    {
        string file = settings.KillSwitch ?? throw NoSetting("KillSwitch", "the path of the file whose appearance ends its jobs; or name one credential by --target and --handle");
        try
        {
            // Whoever came first said why the jobs end; their audit has it.
            if (Path.Exists(file))
            {
                string first = ExceptionText.Clean(KillSwitch.ReasonIn(file).Split('\n')[0].Trim(), 200);
                await screen.Output.WriteLineAsync($"{ExceptionText.Clean(file, 300)} was there before, with the reason '{first}', which stays. Jobs with that switch end within seconds. No new one starts before it is removed.").ConfigureAwait(false);
                return ExitCodes.Ok;
            }
            var made = new FileStream(file, FileMode.CreateNew, FileAccess.Write);
            await using (made.ConfigureAwait(false))
                await made.WriteAsync(Encoding.UTF8.GetBytes($"{ExceptionText.Clean(reason, 200)}\n")).ConfigureAwait(false);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new TokenExchangeException(ErrorCodes.RevocationFailed, ExchangeStage.Revoke, $"The kill switch '{ExceptionText.Clean(file, 300)}' could not be written ({failed.GetType().Name}).") { Hint = "Run as a user who may write its folder." };
        }
        await screen.Output.WriteLineAsync($"{ExceptionText.Clean(file, 300)} is there: jobs with that switch end within seconds. No new one starts before it is removed.").ConfigureAwait(false);
        return ExitCodes.Ok;
    }

    private static TokenExchangeException NoSetting(string name, string what) =>
        new(ErrorCodes.InvalidConfiguration, ExchangeStage.Configure, $"The settings have no {name}.") { Hint = $"Add {name}: {what}." };
}
