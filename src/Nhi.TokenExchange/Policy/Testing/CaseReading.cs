namespace Nhi.TokenExchange;

/// <summary>Reads the cases of a policy's tests. Closed like the policy: a misspelt claim would test nothing.</summary>
internal sealed class CaseReading
{
    private const int LongestName = 200;
    private const string Form = "Write { \"cases\": [ { \"name\": \"…\", \"request\": { \"target\": \"…\" }, \"expect\": { \"decision\": \"deny\" } } ] }.";

    // Rules ask whether it is one, not which.
    private static readonly StaticKeyUse SomeStaticKey = new() { Owner = "a test", Until = DateTimeOffset.MaxValue, Secret = "a test" };

    // What a case leaves out.
    private static readonly TimeSpan DefaultLifetime = TimeSpan.FromHours(1);

    private readonly PolicyErrors _errors;
    private readonly MatcherReading _matchers;
    private readonly NarrowingReading _narrowing;
    private readonly TimeReading _times;

    public CaseReading(PolicyErrors errors)
    {
        _errors = errors;
        _matchers = new MatcherReading(errors, isPermit: true);
        _narrowing = new NarrowingReading(errors);
        _times = new TimeReading(errors);
    }

    public IReadOnlyList<PolicyCase> Read(ReadOnlySpan<byte> utf8)
    {
        if (PolicyJson.Read(utf8, _errors) is not { } root || PolicyObject.Of(root, _errors, Form) is not { } file)
            return [];
        file.Find("$schema");
        PolicyNode? list = file.Require("cases", Form);
        file.Close();
        if (list is null)
            return [];
        if (list.Kind == PolicyNodeKind.List && list.Members.Count > 0)
            return [.. list.Members.Select(one => ReadCase(one.Value)).OfType<PolicyCase>()];
        _errors.Add(list, list.Kind == PolicyNodeKind.List ? "is empty: nothing is tested" : $"is {list.Described}", Form);
        return [];
    }

    private PolicyCase? ReadCase(PolicyNode node)
    {
        if (PolicyObject.Of(node, _errors, Form) is not { } one)
            return null;
        int before = _errors.Count;
        string? name = Text(one, "name", isRequired: true, LongestName);
        PolicyNode? asked = one.Require("request", Form);
        AccessRequest? request = asked is null ? null : ReadRequest(asked);
        PolicyObject? expected = one.Require("expect", Form) is { } expect ? PolicyObject.Of(expect, _errors, "Write { \"decision\": \"permit\", \"rule\": \"…\" }.") : null;
        one.Close();
        if (expected is null || request is null || name is null)
            return null;
        string? decision = Text(expected, "decision", isRequired: true);
        if (decision is not (null or "permit" or "deny"))
            _errors.Add(expected.Find("decision")!, "is none of the two words", "Write permit or deny.");
        PolicyObject? limits = expected.Object("limits", "Write { \"longestHandOut\": \"00:15:00\" }.");
        var read = new PolicyCase(
            name, node.Place.Line, request, HasInstant: asked!.Members.Any(member => member.Name == "at"), decision == "permit", Text(expected, "rule"),
            limits is null ? ExpectedLimits.None : ReadLimits(limits), _times.Instant(expected, "holdsUntil"));
        expected.Close();
        return _errors.Count == before ? read : null;
    }

    private ExpectedLimits ReadLimits(PolicyObject limits)
    {
        var read = new ExpectedLimits(
            limits.Duration("longestHandOut", RuleReading.ShortestHandOut, RuleReading.LongestHandOut), Scopes(limits), _narrowing.Resources(limits), _narrowing.Details(limits),
            FlagOf(limits, "refuseLongerLife"), FlagOf(limits, "senderConstrained"));
        limits.Close();
        return read;
    }

    private AccessRequest? ReadRequest(PolicyNode node)
    {
        if (PolicyObject.Of(node, _errors, "Write an object: { \"target\": \"warehouse\", \"subject\": \"…\" }.") is not { } request)
            return null;
        int before = _errors.Count;
        PolicyObject? job = request.Object("job", "Write an object: { \"pipeline\": \"orders-nightly\" }.");
        var read = new AccessRequest
        {
            Target = Text(request, "target", isRequired: true) ?? "",
            TargetIssuer = Text(request, "targetIssuer") ?? "",
            SubjectIssuer = Text(request, "issuer") ?? "",
            Subject = Text(request, "subject") ?? "",
            ActorIssuer = Text(request, "actorIssuer"),
            ActorSubject = Text(request, "actorSubject"),
            Tenant = Text(request, "tenant"),
            Caller = Text(request, "caller") is { } caller ? new CredentialCaller(caller, caller) : null,
            Job = new JobContext
            {
                Pipeline = FactOf(job, "pipeline"), Run = FactOf(job, "run"), Task = FactOf(job, "task"),
                Dataset = FactOf(job, "dataset"), Purpose = FactOf(job, "purpose"), Environment = FactOf(job, "environment"),
            },
            AttestedFacts = RuleReading.FactsOf(request, "attested", _errors) ?? JobFacts.None,
            Claims = Claims(request),
            Scopes = Scopes(request) ?? ScopeSet.Empty,
            Resources = _narrowing.Resources(request) ?? [],
            AuthorizationDetails = _narrowing.Details(request),
            MaxLifetime = request.Duration("maxLifetime", RuleReading.ShortestHandOut, RuleReading.LongestHandOut) ?? DefaultLifetime,
            At = _times.Instant(request, "at") ?? DateTimeOffset.UnixEpoch,
            IsPlatformIssued = request.Flag("platformIssued"),
            Exposure = Exposure(request.Object("exposure", "Write an object: { \"tiedToHuman\": true }.")),
            StaticKey = request.Flag("static") ? SomeStaticKey : null,
        };
        job?.Close();
        request.Close();
        return _errors.Count == before ? read : null;
    }

    private static Dictionary<string, string> Claims(PolicyObject request)
    {
        var claims = new Dictionary<string, string>(StringComparer.Ordinal);
        if (request.Object("claims", "Write an object, each claim under its name: { \"repository_id\": \"4711\" }.") is { } named)
        {
            foreach ((string claim, PolicyNode value) in named.Node.Members)
                claims[claim] = named.TextOf(value, "Write the claim as text; a list as JSON text.") ?? "";
        }
        return claims;
    }

    // What a case leaves out is not exposed.
    private static CredentialExposure Exposure(PolicyObject? exposure)
    {
        ExposureAnswer[] answers = [.. ExposureCondition.Questions.Select(one => exposure is not null && exposure.Flag(one.Name) ? ExposureAnswer.Yes("the case says so") : ExposureAnswer.No("the case does not say so"))];
        exposure?.Close();
        return new CredentialExposure(answers[0], answers[1], answers[2]);
    }

    private ScopeSet? Scopes(PolicyObject owner) => owner.Find("scopes") is { } list ? _matchers.ScopeList(owner, list, isLeft: true) : null;   // those of a target, or what a rule leaves of them

    private string? FactOf(PolicyObject? job, string name) => job is null ? null : Text(job, name);

    private static bool? FlagOf(PolicyObject limits, string name) => limits.Find(name) is null ? null : limits.Flag(name);

    // A request may say what no rule may: that is what some tests are for.
    private string? Text(PolicyObject owner, string name, bool isRequired = false, int longest = int.MaxValue)
    {
        PolicyNode? node = isRequired ? owner.Require(name, $"Write '{name}'.") : owner.Find(name);
        if (node is null || owner.TextOf(node, "Write a text.") is not { } text)
            return null;
        if (text.Length == 0 || text.Length > longest)
            _errors.Add(node, text.Length == 0 ? "is empty" : "is too long", text.Length == 0 ? "Write a value, or leave it out: what is empty counts as absent." : "Write a shorter one.");
        return text;
    }
}
