using System.CommandLine;
using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary><c>nhi whoami</c>: who is this job to others?</summary>
internal static class WhoamiCommand
{
    // Long, of no use to a reader, and different in each proof.
    private static readonly string[] LeftOut = ["jti", "uti", "aio", "rh"];

    public static Command Make(Screen screen)
    {
        var claims = new Option<bool>("--claims") { Description = "Lists all claims of each proof." };
        var command = new Command("whoami", """
            Says who the job is to each issuer: what its proofs say of it. Nothing is sent to an issuer.

            Example:
              nhi whoami --config appsettings.json --claims
            """);
        JobSettings.AddTo(command);
        command.Options.Add(claims);
        command.SetAction(async (line, cancellationToken) =>
        {
            JobSettings settings = JobSettings.Read(line);
            JobSession session = await JobSession.StartAsync(settings.Compose, cancellationToken).ConfigureAwait(false);
            await using (session.ConfigureAwait(false))
                return await TellAsync(session, line.GetValue(claims), screen, cancellationToken).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> TellAsync(JobSession session, bool withClaims, Screen screen, CancellationToken cancellationToken)
    {
        await screen.Output.WriteLineAsync($"job: {ExceptionText.Clean(session.Context.ToString(), 500)}").ConfigureAwait(false);
        int code = ExitCodes.Ok;
        foreach (TargetPlan target in session.Plan.Targets)
        {
            await screen.Output.WriteLineAsync(target.Identity is null ? $"target {target.Name}: as target '{target.Through}' lets it" : $"target {target.Name}: as identity '{target.Identity.Name}'").ConfigureAwait(false);
            if (target.Identity is null)
                continue;
            try
            {
                (AttestedProof proof, Jwt? says) = await ProofLook.TakeAsync(session, session.Runtime(target.Name), target.Identity, _ => { }, cancellationToken).ConfigureAwait(false);
                foreach (string told in Told(proof, says, target, withClaims))
                    await screen.Output.WriteLineAsync($"  {told}").ConfigureAwait(false);
            }
            catch (TokenExchangeException none)
            {
                await screen.Error.WriteLineAsync($"  {none.ForTarget(target.Name).Message}").ConfigureAwait(false);
                code = code == ExitCodes.Ok ? ExitCodes.Of(none) : code;
            }
        }
        return code;
    }

    private static IEnumerable<string> Told(AttestedProof proof, Jwt? says, TargetPlan target, bool withClaims)
    {
        yield return $"proof     {proof.Token.Fingerprint}, {(proof.Platform is { } platform ? $"of {platform}" : "a workload's by the configuration's word alone")}";
        if (says is null)
        {
            yield return "opaque: what it says is its issuer's to read";
            yield break;
        }
        yield return $"issuer    {ExceptionText.Clean(says.Issuer, 300)}";
        yield return $"subject   {ExceptionText.Clean(says.Subject, 300)}";
        yield return $"audience  {ExceptionText.Clean(target.Exchanger.SubjectAudience.ToString(), 300)}";
        yield return string.Create(CultureInfo.InvariantCulture, $"ends      {proof.ExpiresAt?.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z");
        if (SubjectForms.OtherFormOf(says) is { } other)
            yield return $"note      {other}";
        if (!withClaims)
            yield break;
        foreach ((string claim, string value) in says.Claims.Where(one => !LeftOut.Contains(one.Key)).OrderBy(one => one.Key, StringComparer.Ordinal))
            yield return $"claim     {ExceptionText.Clean(claim, 200)} = {ExceptionText.Clean(value, 300)}";
    }
}
