namespace Nhi.TokenExchange;

/// <summary>Checks the declared targets against each other and the identities, and puts them in the order of their hops.</summary>
/// <param name="errors">Where errors are noted.</param>
/// <param name="identities">What was declared.</param>
/// <param name="targets">What was declared.</param>
/// <param name="job">The job, as runtime, configuration and code say it.</param>
/// <param name="declaredEnvironment">Its environment as configuration or code say it: a variable of the runtime must not let a person's proof in.</param>
/// <param name="areIdentitiesRead">Whether all identities are known.</param>
internal sealed class TargetFreezing(ConfigurationErrors errors, IReadOnlyList<(string Path, IdentityPlan Plan)> identities, IReadOnlyList<TargetEntry> targets, JobContext job, string? declaredEnvironment, bool areIdentitiesRead)
{
    // What an exchanger says of scopes names them, and what to write.
    private const int LongestFlaw = 600;

    private readonly Dictionary<string, IdentityPlan> _identities = new(StringComparer.Ordinal);

    // Names in a section are its keys, so that two of one path are both of code.
    private static string Twice(string path, string other) => path == other ? "is declared twice in code" : $"is declared twice, here and at {other}";

    public IReadOnlyList<TargetPlan> Freeze()
    {
        var plans = new Dictionary<string, (string Path, TargetPlan Plan)>(StringComparer.Ordinal);
        foreach ((string path, IdentityPlan identity) in identities)
        {
            if (!_identities.TryAdd(identity.Name, identity))
                errors.Add(path, Twice(path, identities.First(other => other.Plan.Name == identity.Name).Path), "Give each identity a name of its own.");
            if (identity.ActsFor == ActsFor.PersonInDevelopment && !string.Equals(declaredEnvironment, "Development", StringComparison.OrdinalIgnoreCase))
                errors.Add(path, $"acts for a person, while the job's environment is {(declaredEnvironment is { } named ? $"'{ExceptionText.Clean(named)}'" : "not said")}", "On a developer's own machine say so: Job(new JobContext { Environment = \"Development\" }). Elsewhere give the job an identity of its own.");
        }
        foreach ((string path, string name, TokenExchanger? exchanger, TargetOptions options, bool isProofSaid) in targets)
        {
            if (!isProofSaid && (options.Identity is null) == (options.Through is null))
                errors.Add(path, options.Identity is null ? "names neither Identity nor Through" : "names both Identity and Through", "Name exactly one: the identity whose proof is exchanged, or the target to go through.");
            if (options.MaxLifetime < TimeSpan.FromSeconds(1) || options.MaxLifetime > TimeSpan.FromHours(12))
                errors.Add($"{path}:MaxLifetime", $"is {options.MaxLifetime}", "Give a time from 00:00:01 to 12:00:00.");
            foreach (Uri origin in options.AllowedOrigins)
            {
                if (HttpsAddress.TryRead(origin.OriginalString, originOnly: true, out string what, out string remedy) is null)
                    errors.Add($"{path}:AllowedOrigins", $"has an entry that {what}", remedy);
            }
            if (exchanger is not null && IsProduction(job) && exchanger.Issuer.IdnHost.EndsWith(".invalid", StringComparison.OrdinalIgnoreCase))
                errors.Add(path, $"has a test issuer, {exchanger.Issuer.IdnHost}, while the job's environment is production", "Name the real issuer.");
            if ((options.AttestedFacts & ~(JobFacts.Pipeline | JobFacts.Run | JobFacts.Task | JobFacts.Environment)) != 0)
                errors.Add($"{path}:AttestedFacts", "has a value that is no fact", "Combine Pipeline, Run, Task and Environment.");
            if (options.Through is null && exchanger?.FlawOfHop(null, ScopeSet.Empty) is { } unhopped)
                errors.Add($"{path}:Through", unhopped, $"{exchanger.HopRemedy} instead of Identity.");
            CheckAttestingIssuer($"{path}:AttestingIssuer", options);
            if (exchanger?.FlawOf(options.Scopes) is { } flaw)
                errors.Add($"{path}:Scopes", ExceptionText.Clean(flaw, LongestFlaw), "Correct the scopes of the target.");
            var plan = new TargetPlan(
                name, exchanger ?? PlaceholderExchanger.Instance, FindIdentity($"{path}:Identity", options.Identity), options.Through,
                FindIdentity($"{path}:Actor", options.Actor), options.Scopes, Shorter(options.MaxLifetime, exchanger?.LongestHandOut), [.. options.AllowedOrigins], options.AttestedFacts, options.AttestingIssuer);
            if (!plans.TryAdd(name, (path, plan)))
                errors.Add(path, Twice(path, plans[name].Path), "Give each target a name of its own.");
        }
        return InOrderOfHops(plans);
    }

    private void CheckAttestingIssuer(string path, TargetOptions options)
    {
        if (options.AttestingIssuer is not { } issuer)
            return;
        if (options.Through is not null)
            errors.Add(path, "is set on a target that goes through another", "Set it on the target that starts from an identity.");
        else if (HttpsAddress.TryRead(issuer, originOnly: false, out string what, out _) is null)
            errors.Add(path, what, "Write the issuer as its proofs name it ('iss'), such as https://gitlab.acme.example.");
    }

    private IdentityPlan? FindIdentity(string path, string? name)
    {
        if (name is null)
            return null;
        if (_identities.TryGetValue(name, out IdentityPlan? identity))
            return identity;
        if (areIdentitiesRead)
            errors.Add(path, $"{Shown(name)} is not among the identities: {(_identities.Count == 0 ? "there are none" : string.Join(", ", _identities.Keys.Order(StringComparer.Ordinal)))}", UnknownTarget.RemedyOf(name, _identities.Keys));
        return null;
    }

    private List<TargetPlan> InOrderOfHops(Dictionary<string, (string Path, TargetPlan Plan)> plans)
    {
        var ordered = new List<TargetPlan>(plans.Count);
        foreach (TargetPlan first in plans.Values.Select(entry => entry.Plan))
        {
            var hops = new List<TargetPlan>();
            for (TargetPlan? hop = first; hop is not null && !ordered.Contains(hop); hop = Next(hop))
            {
                if (hops.Contains(hop))
                {
                    errors.Add($"{plans[first.Name].Path}:Through", $"goes in a circle: {string.Join(" -> ", hops.Append(hop).Select(h => h.Name))}", "Let one of them start from an identity.", ErrorCodes.CyclicTargets);
                    break;
                }
                hops.Add(hop);
            }
            hops.Reverse();
            ordered.AddRange(hops.Where(hop => !ordered.Contains(hop)));
        }
        return ordered;

        TargetPlan? Next(TargetPlan plan)
        {
            if (plan.Through is null)
                return null;
            TargetPlan? next = plans.TryGetValue(plan.Through, out (string Path, TargetPlan Plan) entry) ? entry.Plan : null;
            if (next is null)
            {
                string[] others = [.. plans.Keys.Where(other => other != plan.Name).Order(StringComparer.Ordinal)];   // its own would be a circle
                errors.Add($"{plans[plan.Name].Path}:Through", $"{Shown(plan.Through)} is not among the other targets: {UnknownTarget.ListOf(others)}", UnknownTarget.RemedyOf(plan.Through, others));
            }
            else if (next.Exchanger.CredentialType != typeof(BearerToken))
                errors.Add($"{plans[plan.Name].Path}:Through", $"'{next.Name}' gives a {next.Exchanger.CredentialType.Name}", "Only a target that gives a bearer token can be gone through.");
            else if (next.Exchanger is not PlaceholderExchanger && plan.Exchanger.FlawOfHop(next.Exchanger, next.Scopes) is { } flaw)
                errors.Add($"{plans[plan.Name].Path}:Through", flaw, $"{plan.Exchanger.HopRemedy}.");
            return next;
        }
    }

    private static TimeSpan Shorter(TimeSpan said, TimeSpan? longest) => longest < said ? longest.Value : said;

    private static string Shown(string name) => ConfigurationErrors.CanBeShown(name) ? $"'{name}'" : "what is named";

    private static bool IsProduction(JobContext job) =>
        job.Environment is { } environment && (environment.Equals("production", StringComparison.OrdinalIgnoreCase) || environment.Equals("prod", StringComparison.OrdinalIgnoreCase));
}
