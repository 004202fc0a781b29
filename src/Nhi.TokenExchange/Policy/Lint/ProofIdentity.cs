namespace Nhi.TokenExchange;

/// <summary>Somebody whom permits may take, by what a proof says.</summary>
/// <param name="Issuer">Who signed the proof.</param>
/// <param name="Subject">Whom it names.</param>
/// <param name="Claims">What else it says, by the names of conditions. What it does not have here it does not say.</param>
internal sealed record ProofIdentity(SaidValue Issuer, SaidValue Subject, IReadOnlyDictionary<string, SaidValue> Claims)
{
    /// <summary>Whether a permit matches it, for some job and target.</summary>
    public bool IsTakenBy(PolicyRule permit)
    {
        foreach (PolicyCondition condition in permit.Conditions)
        {
            if (condition is ValueCondition value && IsLookedAt(value.Name) && !value.Matcher.Matches(ValueOf(value.Name)?.Text))
                return false;
        }
        return true;
    }

    /// <summary>Whether a condition tells identities apart. For whom a proof was made does not.</summary>
    public static bool IsLookedAt(string condition) =>
        IsIssuer(condition) || IsSubject(condition) || (condition.StartsWith("claims.", StringComparison.Ordinal) && condition != "claims.aud");

    public static bool IsIssuer(string condition) => condition is PolicyAttribute.SubjectIssuer or "claims.iss";

    public static bool IsSubject(string condition) => condition is PolicyAttribute.Subject or "claims.sub";

    /// <summary>In words.</summary>
    public override string ToString() =>
        (Subject.Shown is { } subject ? $"subject {subject}" : "every subject") + (Issuer.Shown is { } issuer ? $" of {issuer}" : "") + string.Concat(Claims.OrderBy(claim => claim.Key, StringComparer.Ordinal).Select(claim => $", {claim.Key} {claim.Value.Shown ?? "of any value"}"));

    private SaidValue? ValueOf(string condition) => IsIssuer(condition) ? Issuer : IsSubject(condition) ? Subject : Claims.GetValueOrDefault(condition);
}

/// <summary>A value in a proof.</summary>
/// <param name="Text">The value, or an example of it.</param>
/// <param name="Shown">As a finding says it; null for one that no permit names.</param>
internal sealed record SaidValue(string Text, string? Shown)
{
    // No text of a rule has such a character.
    private const string Unnamed = "\u0001";

    public static SaidValue Other { get; } = new(Unnamed, null);

    public static SaidValue Of(SegmentGlob glob) => new(glob.Example(Unnamed), $"segments '{glob.Pattern}'");

    /// <summary>What a matcher tells apart.</summary>
    public static IEnumerable<SaidValue> Of(ValueMatcher matcher) => matcher switch
    {
        GlobbedValue { Glob: var glob } => [Of(glob)],
        _ => matcher.Values?.Select(Of) ?? [Other],
    };

    public static SaidValue Of(string text) => new(text, PolicyText.OneOf([text]));
}
