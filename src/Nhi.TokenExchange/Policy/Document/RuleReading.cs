namespace Nhi.TokenExchange;

/// <summary>Reads the rules of a document.</summary>
internal sealed class RuleReading(PolicyErrors errors)
{
    /// <summary>The name under which a request is denied that no rule permits.</summary>
    public const string DefaultDeny = "default-deny";

    public static readonly TimeSpan ShortestHandOut = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LongestHandOut = TimeSpan.FromHours(12);

    private const int LongestReason = 300;

    // As settings name them.
    private static readonly Dictionary<string, JobFacts> AttestableFacts = new(StringComparer.Ordinal)
    {
        ["pipeline"] = JobFacts.Pipeline, ["run"] = JobFacts.Run, ["task"] = JobFacts.Task, ["environment"] = JobFacts.Environment,
    };

    /// <summary>Reads one rule; null if it is none, which is noted.</summary>
    public PolicyRule? Read(PolicyNode node)
    {
        if (PolicyObject.Of(node, errors, "Write a rule: { \"name\": \"…\", \"effect\": \"permit\", \"when\": { … } }.") is not { } rule)
            return null;
        int before = errors.Count;
        string? name = Name(rule);
        bool? isPermit = Effect(rule);
        string? reason = Reason(rule);
        PolicyNode? when = rule.Find("when"), limits = rule.Find("limits");
        bool isAny = rule.Flag("any");
        rule.Close();
        var conditions = new List<PolicyCondition>();
        // What a matcher may be depends on the effect. Where that is wrong, what is wrong with either is told all the same: a forbid takes more matchers, and a permit has limits.
        TimeWindow? window = when is null ? null : ReadWhen(when, new MatcherReading(errors, isPermit ?? false), conditions);
        CheckBreadth(rule, isAny, reason, when);
        if (isPermit == true)
            OnlyInSoManyWords(rule, conditions);
        PolicyLimits read = limits is null ? PolicyLimits.None : ReadLimits(limits, isPermit ?? true, conditions);
        if (isPermit is { } known && Contradictions.Of(known, conditions, read) is { } contradiction)
            errors.Add(limits ?? node, contradiction.What, contradiction.Remedy);
        return name is not null && isPermit is { } permits && errors.Count == before ? new PolicyRule(name, permits, reason, node.Place, [.. conditions], window, read) : null;
    }

    private string? Name(PolicyObject rule)
    {
        const string Form = "Give each rule a name: lower-case letters, digits and hyphens, at most 64.";
        if (rule.Require("name", Form) is not { } node || rule.TextOf(node, Form) is not { } name)
            return null;
        if (ConfigurationErrors.IsName(name) && name is not DefaultDeny)
            return name;
        errors.Add(node, name == DefaultDeny ? "is the name of what no rule permits" : "is no name of a rule", Form);
        return null;
    }

    private bool? Effect(PolicyObject rule)
    {
        const string Words = "Write permit or forbid, in these letters.";
        if (rule.Require("effect", Words) is not { } node || rule.TextOf(node, Words) is not { } effect)
            return null;
        if (effect is "permit" or "forbid")
            return effect == "permit";
        errors.Add(node, "is none of the two words", Words);
        return null;
    }

    private string? Reason(PolicyObject rule)
    {
        if (rule.Find("reason") is not { } node || rule.TextOf(node, "Write a sentence.") is not { } reason)
            return null;
        if (reason.Length is > 0 and <= LongestReason && PolicyText.FaultOf(reason) is null)
            return reason;
        errors.Add(node, "is empty, too long or has characters that nobody sees", FormattableString.Invariant($"Write a sentence of at most {LongestReason} characters."));
        return null;
    }

    private TimeWindow? ReadWhen(PolicyNode node, MatcherReading matchers, List<PolicyCondition> conditions)
    {
        if (PolicyObject.Of(node, errors, "Write an object of conditions.") is not { } when)
            return null;
        foreach (PolicyAttribute attribute in PolicyAttribute.OfRequest)
            Add(attribute, when.Find(attribute.Name));
        if (when.Object("job", "Write an object: { \"pipeline\": \"orders-nightly\" }.") is { } job)
        {
            foreach (PolicyAttribute attribute in PolicyAttribute.OfJob)
                Add(attribute, job.Find(attribute.Name["job.".Length..]));
            job.Close();
            RefuseEmpty(job);
        }
        if (when.Object("claims", "Write an object, each claim under its name: { \"repository_id\": \"4711\" }.") is { } claims)
        {
            foreach ((string claim, PolicyNode value) in claims.Node.Members)
                Add(PolicyAttribute.Claim(claim), value);
            RefuseEmpty(claims);
        }
        if (when.Object("exposure", "Write an object: { \"tiedToHuman\": false }.") is { } exposure)
            ReadExposure(exposure, conditions);
        if (when.Find("scopes") is { } scopes && matchers.Scopes(scopes) is { } scopeCondition)
            conditions.Add(scopeCondition);
        ReadStatic(when, conditions);
        TimeWindow? window = when.Find("time") is { } time ? new TimeReading(errors).Read(time) : null;
        when.Close();
        return window;

        void Add(PolicyAttribute attribute, PolicyNode? value)
        {
            if (value is not null && matchers.Value(value) is { } matcher)
                conditions.Add(new ValueCondition(attribute, matcher, value.Place));
        }
    }

    private void ReadExposure(PolicyObject exposure, List<PolicyCondition> conditions)
    {
        foreach ((string question, Func<CredentialExposure, ExposureAnswer> answerOf) in ExposureCondition.Questions)
        {
            if (exposure.Find(question) is { } answer)
                conditions.Add(new ExposureCondition(question, answerOf, exposure.Flag(question), answer.Place));
        }
        exposure.Close();
        RefuseEmpty(exposure);
    }

    private void ReadStatic(PolicyObject when, List<PolicyCondition> conditions)
    {
        if (when.Flag("static"))
            conditions.Add(new StaticKeyCondition());
        else if (when.Find("static") is { Kind: PolicyNodeKind.Truth } node)
            errors.Add(node, "is false, which says nothing", "Take it out: a permit that does not say true permits no static key.");
    }

    // A static key is permitted by who names it, and by nobody who meant something else.
    private void OnlyInSoManyWords(PolicyObject rule, List<PolicyCondition> conditions)
    {
        if (!conditions.OfType<StaticKeyCondition>().Any())
            conditions.Add(new IssuedCondition());
        else if (conditions.OfType<ValueCondition>().FirstOrDefault(condition => condition.Name == PolicyAttribute.Target)?.Matcher.Values is null)
            errors.Add(rule.Node, "permits static keys and does not name the targets", "Name them under when: \"target\" as a text, or with anyOf.");
    }

    private void RefuseEmpty(PolicyObject group)
    {
        if (group.Node.Members.Count == 0)
            errors.Add(group.Node, "has nothing in it", "Write a condition, or take it out.");
    }

    // Nothing is permitted to everybody by what was left out.
    private void CheckBreadth(PolicyObject rule, bool isAny, string? reason, PolicyNode? when)
    {
        bool hasConditions = when is { Kind: PolicyNodeKind.Object, Members.Count: > 0 };
        if (!hasConditions && !isAny && when is null or { Kind: PolicyNodeKind.Object })
        {
            if (!hasConditions)
                errors.Add(rule.Node, "has no condition, and would count for everybody", "Write when; if everybody is meant, write \"any\": true and a reason.");
        }
        else if (isAny && hasConditions)
            errors.Add(rule.Node, "has conditions, and any beside them", "Leave one of them.");
        else if (isAny && reason is null)
            errors.Add(rule.Node, "counts for everybody and says no reason", "Write a reason.");
    }

    private PolicyLimits ReadLimits(PolicyNode node, bool isPermit, List<PolicyCondition> conditions)
    {
        if (!isPermit)
        {
            errors.Add(node, "stands in a forbid, which leaves nothing to limit", "Take it out.");
            return PolicyLimits.None;
        }
        if (PolicyObject.Of(node, errors, "Write an object: { \"longestHandOut\": \"00:15:00\" }.") is not { } limits)
            return PolicyLimits.None;
        TimeSpan? longest = limits.Duration("longestHandOut", ShortestHandOut, LongestHandOut);
        bool refuseLongerLife = limits.Flag("refuseLongerLife"), senderConstrained = limits.Flag("senderConstrained");
        ScopeSet? scopes = limits.Find("scopes") is { } list ? new MatcherReading(errors, isPermit: true).ScopeList(limits, list, isLeft: true) : null;
        var narrowing = new NarrowingReading(errors);
        IReadOnlyList<string>? resources = narrowing.Resources(limits);
        string? details = narrowing.Details(limits);
        if (FactsOf(limits, "attestedOnly", errors) is { } facts)
            conditions.Add(new AttestedCondition(facts));
        if (limits.Flag("notPlatformIssued"))
            conditions.Add(new ExchangedCondition());
        limits.Close();
        RefuseEmpty(limits);
        return new PolicyLimits { LongestHandOut = longest, RefuseLongerLife = refuseLongerLife, Scopes = scopes, Resources = resources, AuthorizationDetails = details, SenderConstrained = senderConstrained };
    }

    /// <summary>A list of facts that a platform can attest; null if it is left out or none, which is noted.</summary>
    public static JobFacts? FactsOf(PolicyObject owner, string name, PolicyErrors errors)
    {
        if (owner.Texts(name, $"Write a list of facts: [ \"{string.Join("\", \"", AttestableFacts.Keys)}\" ].") is not { } entries)
            return null;
        var facts = JobFacts.None;
        foreach (PolicyNode entry in entries)
        {
            if (AttestableFacts.TryGetValue(entry.Text!, out JobFacts fact))
                facts |= fact;
            else
                errors.Add(entry, "is no fact that a platform attests", $"Write one of: {string.Join(", ", AttestableFacts.Keys)}.");
        }
        return facts;
    }
}
