using System.CommandLine;
using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary><c>nhi token</c>: gets the credential of one target, as the job would.</summary>
internal static class TokenCommand
{
    private static readonly TimeSpan LongestHold = TimeSpan.FromHours(12);

    public static Command Make(Screen screen)
    {
        var target = new Argument<string>("target") { Description = "The name of a target." };
        var reveal = new Option<bool>("--reveal") { Description = "Writes the credential itself to the standard output. Without it: its fingerprint and its life." };
        var toTerminal = new Option<bool>("--to-terminal") { Description = "With --reveal: writes it even if the standard output is a terminal, whose history keeps it." };
        var hold = new Option<TimeSpan?>("--hold")
        {
            Description = $"Keeps the job, and so the credential, for so long (hh:mm:ss, at most {LongestHold:hh\\:mm\\:ss}) or until Ctrl-C. What can be revoked is revoked when this command ends.",
            CustomParser = OptionForms.Of<TimeSpan?>(
                text => TimeSpan.TryParseExact(text, @"hh\:mm\:ss", CultureInfo.InvariantCulture, out TimeSpan time) ? time : null,
                text => $"'{text}' is not a time. Write one from 00:00:00 to {LongestHold:hh\\:mm\\:ss}, as hh:mm:ss."),
        };
        var command = new Command("token", """
            Gets the credential of a target, as the job would: under the same policy, and in the same audit.

            It belongs to this command: what its issuer can revoke is revoked at the end. A job that is written against the library never needs to show one.

            Examples:
              nhi token warehouse                                  does it work? how long does it live?
              nhi token warehouse --reveal --hold 00:05:00 > token.txt
            """) { target, reveal, toTerminal, hold };
        JobSettings.AddTo(command);
        command.SetAction(async (line, cancellationToken) =>
        {
            TimeSpan held = line.GetValue(hold) ?? TimeSpan.Zero;
            if (held > LongestHold)
                throw new UsageException($"--hold: is {held:hh\\:mm\\:ss}, which is out of its range. Write a time from 00:00:00 to {LongestHold:hh\\:mm\\:ss}, as hh:mm:ss.");
            if (line.GetValue(reveal) && screen.IsTerminal && !line.GetValue(toTerminal))
                throw new UsageException("--reveal: the standard output is a terminal, whose history would keep the credential. Send it to a file or a program, or add --to-terminal.");
            JobSettings settings = JobSettings.Read(line);
            JobSession session = await JobSession.StartAsync(settings.Compose, cancellationToken).ConfigureAwait(false);
            await using (session.ConfigureAwait(false))
            {
                Credential credential = await session.Runtime(line.GetRequiredValue(target)).GetForNextHopAsync(onlyHeld: false, cancellationToken).ConfigureAwait(false);
                await WriteAsync(session, line.GetRequiredValue(target), credential, line.GetValue(reveal), held, screen).ConfigureAwait(false);
                await HoldAsync(session, held, cancellationToken).ConfigureAwait(false);
                JobReport report = await session.CompleteAsync(CancellationToken.None).ConfigureAwait(false);
                await screen.Error.WriteLineAsync(report.ToString()).ConfigureAwait(false);
                return report.AllEnded ? ExitCodes.Ok : ExitCodes.Unrevoked;
            }
        });
        return command;
    }

    private static async Task WriteAsync(JobSession session, string target, Credential credential, bool reveal, TimeSpan held, Screen screen)
    {
        if (credential is StaticKey)
            throw new UsageException("target: has a static key, which only a handler or an opener of the job is given; it is never shown.");
        string life = string.Create(CultureInfo.InvariantCulture, $"{credential.GetType().Name} {credential.Fingerprint}, handed out until {credential.UnusableFrom.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z, dies at {credential.ExpiresAt.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z");
        if (!reveal)
        {
            await screen.Output.WriteLineAsync($"{life}. --reveal writes it.").ConfigureAwait(false);
            return;
        }
        string end = held == TimeSpan.Zero ? "It is revoked now, where its issuer can do that: --hold keeps it for a time." : "It is revoked when this command ends, where its issuer can do that.";
        await screen.Error.WriteLineAsync($"{life}. {end}").ConfigureAwait(false);
        string revealed = RevealedCredential.Of(credential);
        await RecordRevealAsync(session, target, credential).ConfigureAwait(false);
        await screen.Output.WriteLineAsync(revealed).ConfigureAwait(false);
        await screen.Output.FlushAsync().ConfigureAwait(false);
    }

    // Not recorded, not revealed. The command itself is the rule that permits it.
    private static ValueTask RecordRevealAsync(JobSession session, string target, Credential credential)
    {
        AuditMoment now = session.Moment;
        return session.Audit.RecordAsync(
            new AuditEvent
            {
                Kind = AuditEventKind.Permitted, At = now.At, Elapsed = now.Elapsed, SessionId = now.SessionId, FlightId = session.FlightId(credential.Lease.FlightNumber), Target = target, Job = session.Context,
                Issuer = session.Runtime(target).Plan.Exchanger.Issuer.AbsoluteUri, Rule = "nhi token --reveal", Fingerprint = credential.Fingerprint, RevocationHandle = credential.Lease.Handle,
                Reason = $"the credential itself was written to the standard output, for the user {Environment.UserName}",
            },
            CancellationToken.None);
    }

    private static async Task HoldAsync(JobSession session, TimeSpan held, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(session.Ended, cancellationToken);
        try
        {
            await Task.Delay(held, TimeProvider.System, over.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C, or the job was ended from outside: both are ends of the hold.
        }
    }
}
