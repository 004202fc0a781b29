namespace Nhi.TokenExchange;

/// <summary>Reads what a value, or the scopes, have to be.</summary>
/// <param name="errors">Where errors are noted.</param>
/// <param name="isPermit">Of a permit: nothing that an absent value could satisfy.</param>
internal sealed class MatcherReading(PolicyErrors errors, bool isPermit)
{
    private const int LongestText = 512;
    private const string Forms = "Write a text, { \"anyOf\": [ … ] }, { \"glob\": \"a/*/b\" } or { \"present\": true }";
    private const string OnlyForbids = "A permit says what has to be there; write a forbid for what must not.";

    private string Remedy => isPermit ? Forms + "." : Forms + ", { \"noneOf\": [ … ] } or { \"present\": false }.";

    /// <summary>Reads a matcher of one value; null if it is none, which is noted.</summary>
    public ValueMatcher? Value(PolicyNode node)
    {
        if (node.Kind == PolicyNodeKind.Text)
            return CheckExact(node) ? new OneOfValues([node.Text!]) : null;
        if (PolicyObject.Of(node, errors, Remedy) is not { } matcher)
            return null;
        PolicyNode? anyOf = matcher.Find("anyOf"), glob = matcher.Find("glob"), present = matcher.Find("present"), noneOf = isPermit ? null : matcher.Find("noneOf");
        if (isPermit && node.Members.Any(member => member.Name == "noneOf"))
        {
            errors.Add(node, "is noneOf in a permit, which everything else would satisfy", OnlyForbids);
            return null;
        }
        matcher.Close();
        if (node.Members.Count != 1)
        {
            errors.Add(node, node.Members.Count == 0 ? "is an object without a matcher" : "has more than one matcher", Remedy);
            return null;
        }
        if (anyOf is not null)
            return Exact(matcher, anyOf) is { } values ? new OneOfValues(values) : null;
        if (noneOf is not null)
            return Exact(matcher, noneOf) is { } values ? new NoneOfValues(values) : null;
        if (glob is not null)
            return Glob(matcher, glob);
        return present is null ? null : Present(present);
    }

    /// <summary>Reads a condition on scopes; null if it is none, which is noted.</summary>
    public ScopeCondition? Scopes(PolicyNode node)
    {
        string remedy = isPermit ? "Write { \"within\": [ \"sql\" ] }: all that is asked for is listed." : "Write { \"anyOf\": [ … ] }, { \"beyond\": [ … ] } or { \"within\": [ … ] }.";
        if (PolicyObject.Of(node, errors, remedy) is not { } matcher)
            return null;
        if (isPermit && node.Members.Any(member => member.Name is "anyOf" or "beyond"))
        {
            errors.Add(node, "is anyOf or beyond in a permit, which would let other scopes through", remedy);
            return null;
        }
        PolicyNode? within = matcher.Find("within"), anyOf = isPermit ? null : matcher.Find("anyOf"), beyond = isPermit ? null : matcher.Find("beyond");
        matcher.Close();
        if (node.Members.Count != 1)
        {
            errors.Add(node, node.Members.Count == 0 ? "is an object without an operator" : "has more than one operator", remedy);
            return null;
        }
        ScopeOperator scopeOperator = within is not null ? ScopeOperator.Within : anyOf is not null ? ScopeOperator.AnyOf : ScopeOperator.Beyond;
        return (within ?? anyOf ?? beyond) is { } list && ScopeList(matcher, list) is { } scopes ? new ScopeCondition(scopeOperator, scopes) : null;
    }

    /// <summary>Reads a list of scope tokens; null if it is none, which is noted.</summary>
    /// <param name="owner">Whose list it is.</param>
    /// <param name="node">The list.</param>
    /// <param name="isLeft">Whether it says what is left of what was asked for: then an action of AWS may have a * in its name (<c>s3:Get*</c>), which stands for nothing else. Where it decides whether a rule applies, somebody would take it for a pattern.</param>
    public ScopeSet? ScopeList(PolicyObject owner, PolicyNode node, bool isLeft = false)
    {
        int before = errors.Count;
        IReadOnlyList<PolicyNode>? entries = owner.TextsOf(node, "Write a list of scopes: [ \"sql\" ].");
        foreach (PolicyNode entry in entries ?? [])
        {
            // RFC 6749 §3.3: visible ASCII but for the quote and the backslash.
            if (entry.Text!.Length is 0 or > LongestText || entry.Text.AsSpan().IndexOfAnyExceptInRange('!', '~') >= 0 || entry.Text.AsSpan().ContainsAny('"', '\\'))
                errors.Add(entry, "is no scope (RFC 6749 §3.3)", "Write visible ASCII without quote and backslash, one scope per entry.");
            else if (entry.Text.Contains('*', StringComparison.Ordinal) && !(isLeft && entry.Text != "*" && AwsSessionPolicy.FaultOfAction(entry.Text) is null))
                errors.Add(entry, "has a * in it, which stands for nothing here", "List the scopes that are meant.");
        }
        return entries is not null && errors.Count == before ? ScopeSet.Of([.. entries.Select(entry => entry.Text!)]) : null;
    }

    private IEnumerable<string>? Exact(PolicyObject matcher, PolicyNode list)
    {
        int before = errors.Count;
        IReadOnlyList<PolicyNode>? entries = matcher.TextsOf(list, "Write a list of texts with at least one entry.");
        foreach (PolicyNode entry in entries ?? [])
            CheckExact(entry);
        return errors.Count == before ? entries!.Select(entry => entry.Text!) : null;
    }

    private GlobbedValue? Glob(PolicyObject matcher, PolicyNode node)
    {
        if (matcher.TextOf(node, "Write a pattern of segments: \"repo:acme/*:ref:refs/heads/main\".") is not { } pattern || !CheckText(node))
            return null;
        if (SegmentGlob.TryParse(pattern, out string what, out string remedy) is { } glob)
            return new GlobbedValue(glob);
        errors.Add(node, what, remedy);
        return null;
    }

    private Presence? Present(PolicyNode node)
    {
        if (node.Kind != PolicyNodeKind.Truth)
            errors.Add(node, $"is {node.Described}", "Write true or false, without quotes.");
        else if (isPermit && node.Text == "false")
            errors.Add(node, "is false in a permit", OnlyForbids);
        else
            return new Presence(node.Text == "true");
        return null;
    }

    // A * that stands for itself would be taken for more: in a forbid it would forbid nothing.
    private bool CheckExact(PolicyNode node)
    {
        if (!CheckText(node))
            return false;
        int star = node.Text!.IndexOf('*', StringComparison.Ordinal);
        if (star >= 0)
            errors.Add(node, FormattableString.Invariant($"has a * at position {star}, which stands for nothing in a plain text"), "Write { \"glob\": \"…\" }, where * is one whole segment, or list the values with anyOf.");
        return star < 0;
    }

    private bool CheckText(PolicyNode node)
    {
        string? fault = node.Text!.Length == 0 ? "is empty, and an empty value counts as absent" : node.Text.Length > LongestText ? $"is longer than {LongestText} characters" : PolicyText.FaultOf(node.Text);
        if (fault is not null)
            errors.Add(node, fault, "Write the value as the proof has it.");
        return fault is null;
    }
}
