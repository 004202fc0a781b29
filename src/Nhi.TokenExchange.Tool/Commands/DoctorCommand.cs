using System.CommandLine;

namespace Nhi.TokenExchange;

/// <summary><c>nhi doctor</c>: why does an exchange fail?</summary>
internal static class DoctorCommand
{
    public static Command Make(Screen screen)
    {
        var targets = new Option<string[]>("--target", "-t") { Description = "A target to examine; may be given several times. Default: all.", DefaultValueFactory = _ => [] };
        var json = new Option<bool>("--json") { Description = "Writes JSON." };
        var command = new Command("doctor", """
            Says why an exchange fails, and what repairs it.

            Starts the job as its program would, from the same settings, asks for the credential of each target once, and ends what it got. Sends to configured issuers alone: the same
            requests that the job sends. What an audit records of the job, it records of this, too.

            Examples:
              nhi doctor --config appsettings.json
              nhi doctor --target warehouse --json
              nhi doctor -t lake --trusted-subject "repo:acme/orders:ref:refs/heads/main"    compares with what the portal shows
              aws iam get-role --role-name orders > trust.json; nhi doctor -t archive --trust trust.json
            """);
        JobSettings.AddTo(command);
        command.Options.Add(targets);
        command.Options.Add(json);
        TrustedValues.AddTo(command);
        command.SetAction(async (line, cancellationToken) =>
        {
            DoctorReport report = await ExamineAsync(line, line.GetRequiredValue(targets), screen, cancellationToken).ConfigureAwait(false);
            if (line.GetValue(json))
                await screen.Output.WriteLineAsync(DoctorJson.Of(report)).ConfigureAwait(false);
            else
                DoctorText.Write(report, screen);
            return report.ExitCode;
        });
        return command;
    }

    private static async Task<DoctorReport> ExamineAsync(ParseResult line, string[] targets, Screen screen, CancellationToken cancellationToken)
    {
        JobSettings settings;
        try
        {
            settings = JobSettings.Read(line);
        }
        catch (TokenExchangeException unreadable)
        {
            return new DoctorReport([StageResult.Failed(Stage.Settings, unreadable)], []);
        }
        var doctor = new Doctor(settings.Compose, TrustedValues.Read(line), TimeProvider.System);
        return await screen.WhileAsync("starting the job", progress => doctor.ExamineAsync(targets, progress, cancellationToken)).ConfigureAwait(false);
    }
}
