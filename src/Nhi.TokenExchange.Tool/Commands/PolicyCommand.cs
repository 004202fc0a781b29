using System.CommandLine;

namespace Nhi.TokenExchange;

/// <summary><c>nhi policy</c>: tests, explains and lints policies.</summary>
internal static class PolicyCommand
{
    public static Command Make(Screen screen) => new("policy", "Tests, explains and lints policies.") { MakeTest(screen), MakeExplain(screen), MakeLint(screen) };

    private static Command MakeTest(Screen screen)
    {
        Argument<FileInfo> policy = Policy(), cases = Cases();
        var command = new Command("test", """
            Runs the tests of a policy: requests, and the decisions that are expected of them.

            Example:
              nhi policy test nhi.policy.json nhi.policy.tests.json
            """) { policy, cases };
        command.SetAction(async (line, _) =>
        {
            PolicyDocument document = Read(line.GetRequiredValue(policy));
            FileInfo file = line.GetRequiredValue(cases);
            IReadOnlyList<PolicyTestResult> results = PolicyTests.Run(document, Bytes(file, "cases"), file.Name);
            foreach (PolicyTestResult result in results)
                await screen.Output.WriteLineAsync($"{(result.IsMet ? "ok" : "FAILED"),-6} {result}").ConfigureAwait(false);
            int failed = results.Count(result => !result.IsMet);
            await screen.Output.WriteLineAsync($"{results.Count} case(s), {failed} failed").ConfigureAwait(false);
            return failed == 0 ? ExitCodes.Ok : ExitCodes.Audit;
        });
        return command;
    }

    private static Command MakeExplain(Screen screen)
    {
        Argument<FileInfo> policy = Policy(), cases = Cases();
        var name = new Option<string?>("--case") { Description = "The name of one case. Default: all." };
        var command = new Command("explain", """
            Says of each request what the policy decides, by which rule, and why; what a test expects of it does not matter.
            Of a job that fails, nhi doctor tells the same for its own request.

            Example:
              nhi policy explain nhi.policy.json nhi.policy.tests.json --case "a pull request"
            """) { policy, cases, name };
        command.SetAction(async (line, _) =>
        {
            PolicyDocument document = Read(line.GetRequiredValue(policy));
            FileInfo file = line.GetRequiredValue(cases);
            var errors = new PolicyErrors(file.Name);
            IReadOnlyList<PolicyCase> all = new CaseReading(errors).Read(Bytes(file, "cases"));
            errors.ThrowIfAny();
            string? wanted = line.GetValue(name);
            PolicyCase[] chosen = [.. all.Where(one => wanted is null || one.Name == wanted)];
            if (chosen.Length == 0)
                throw new UsageException($"--case: there is no case '{ExceptionText.Clean(wanted, 200)}'. There are: {ExceptionText.Clean(string.Join(", ", all.Select(one => one.Name)), 500)}.");
            bool isPermitted = true;
            foreach (PolicyCase one in chosen)
            {
                AccessDecision decision = document.Evaluate(one.Request);
                isPermitted &= decision.IsPermitted;
                await screen.Output.WriteLineAsync($"{one.Name} (line {one.Line}): {(decision.IsPermitted ? "permitted" : "denied")} by rule '{decision.Rule}' of {document.Revision}").ConfigureAwait(false);
                foreach (string told in Told(decision))
                    await screen.Output.WriteLineAsync($"  {told}").ConfigureAwait(false);
            }
            return isPermitted ? ExitCodes.Ok : ExitCodes.Denied;
        });
        return command;
    }

    private static Command MakeLint(Screen screen)
    {
        Argument<FileInfo> policy = Policy();
        var command = new Command("lint", """
            Finds rules that are broader, or weaker, than they look.

            Example:
              nhi policy lint nhi.policy.json
            """) { policy };
        command.SetAction(async (line, _) =>
        {
            IReadOnlyList<PolicyFinding> findings = PolicyLint.Check(Read(line.GetRequiredValue(policy)), TimeProvider.System.GetUtcNow());
            foreach (PolicyFinding finding in findings)
                await screen.Output.WriteLineAsync(finding.ToString()).ConfigureAwait(false);
            await screen.Output.WriteLineAsync($"{findings.Count} finding(s)").ConfigureAwait(false);
            return findings.Count == 0 ? ExitCodes.Ok : ExitCodes.Audit;
        });
        return command;
    }

    private static IEnumerable<string> Told(AccessDecision decision)
    {
        if (decision.Reason.Length > 0)
            yield return $"because {decision.Reason}";
        if (!decision.IsPermitted)
            yield break;
        if (decision.MaxLifetime is { } life)
            yield return $"handed out for {life:c} at most{(decision.RefuseLongerLife ? ", and refused if it lives longer" : "")}";
        if (decision.Scopes is { } scopes)
            yield return $"scopes: {scopes}";
        if (decision.Resources is { } resources)
            yield return $"resources: {string.Join(' ', resources)}";
        if (decision.AuthorizationDetails is { } details)
            yield return $"authorization details: {details}";
        if (decision.HoldsUntil is { } until)
            yield return $"until {until.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z";
    }

    private static Argument<FileInfo> Policy() => new("policy") { Description = "The policy document." };

    private static Argument<FileInfo> Cases() => new("cases") { Description = "The file of its tests." };

    private static PolicyDocument Read(FileInfo file) => PolicyDocument.Parse(Bytes(file, "policy"), file.Name);

    private static byte[] Bytes(FileInfo file, string argument)
    {
        try
        {
            return File.ReadAllBytes(file.FullName);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{argument}: '{ExceptionText.Clean(file.FullName, 300)}' can't be read ({unreadable.GetType().Name}). Name a file.");
        }
    }
}
