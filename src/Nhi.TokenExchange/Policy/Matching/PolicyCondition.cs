namespace Nhi.TokenExchange;

/// <summary>One condition of a rule. All conditions of a rule must hold.</summary>
internal abstract class PolicyCondition
{
    /// <summary>What it looks at.</summary>
    public abstract string Name { get; }

    public abstract string Expected { get; }

    public abstract bool HoldsFor(AccessRequest request);

    /// <summary>What the request presents.</summary>
    public abstract string Presented(AccessRequest request);

    /// <summary>Whether this one is certain to hold wherever the other does.</summary>
    public abstract bool Covers(PolicyCondition other);

    /// <summary>Claim, expected and presented: why a permit does not match.</summary>
    public virtual string Failure(AccessRequest request) => $"{Name} expected {Expected}, presented {Presented(request)}";
}

/// <summary>A condition on one value.</summary>
internal sealed class ValueCondition(PolicyAttribute attribute, ValueMatcher matcher, PolicyPlace place) : PolicyCondition
{
    public override string Name => attribute.Name;

    public override string Expected => matcher.Expected;

    public ValueMatcher Matcher => matcher;

    public PolicyPlace Place => place;

    public override bool HoldsFor(AccessRequest request) => matcher.Matches(attribute.ValueIn(request));

    public override string Presented(AccessRequest request) => PolicyText.Presented(attribute.ValueIn(request));

    public override bool Covers(PolicyCondition other) => other is ValueCondition value && value.Name == Name && matcher.Covers(value.Matcher);

    public override string Failure(AccessRequest request) =>
        base.Failure(request) + (matcher.Values is [var only] && attribute.ValueIn(request) is { } presented ? PolicyText.FirstDifference(only, presented) : "");
}

internal enum ScopeOperator
{
    /// <summary>Something is asked for, and nothing that is not listed.</summary>
    Within,

    /// <summary>At least one that is listed is asked for, if only by one that contains it.</summary>
    AnyOf,

    /// <summary>The contrary of <see cref="Within"/>: of a forbid alone.</summary>
    Beyond,
}

/// <summary>A condition on the scopes that are asked for. Where none are, the issuer decides: that is within nothing.</summary>
internal sealed class ScopeCondition(ScopeOperator scopeOperator, ScopeSet scopes) : PolicyCondition
{
    public override string Name => "scopes";

    public ScopeOperator Operator => scopeOperator;

    public ScopeSet Scopes => scopes;

    public override string Expected => scopeOperator switch
    {
        ScopeOperator.Within => $"none but '{scopes}'",
        ScopeOperator.AnyOf => $"at least one of '{scopes}'",
        _ => $"others than '{scopes}'",
    };

    public override bool HoldsFor(AccessRequest request) => scopeOperator switch
    {
        ScopeOperator.Within => IsWithin(request.Scopes),
        ScopeOperator.AnyOf => IsAnyOf(request.Scopes),
        _ => !IsWithin(request.Scopes),
    };

    public override string Presented(AccessRequest request) => request.Scopes.IsEmpty ? "none (the issuer would choose)" : PolicyText.Presented(request.Scopes.ToString());

    public override bool Covers(PolicyCondition other) => other is ScopeCondition scope && (scopeOperator, scope.Operator) switch
    {
        (ScopeOperator.Within, ScopeOperator.Within) => scope.Scopes.IsSubsetOf(scopes),
        (ScopeOperator.AnyOf, ScopeOperator.Within) or (ScopeOperator.AnyOf, ScopeOperator.AnyOf) => scope.Scopes.IsSubsetOf(scopes),
        (ScopeOperator.Beyond, ScopeOperator.Within) => !scope.Scopes.Values.Any(scopes.Contains),
        (ScopeOperator.Beyond, ScopeOperator.AnyOf) => !scope.Scopes.Values.Any(scopes.Contains),
        (ScopeOperator.Beyond, ScopeOperator.Beyond) => scopes.IsSubsetOf(scope.Scopes),
        _ => false,
    };

    private bool IsWithin(ScopeSet asked) => !asked.IsEmpty && asked.IsSubsetOf(scopes);

    // Who asks for a scope that contains a listed one gets that, too.
    private bool IsAnyOf(ScopeSet asked)
    {
        foreach (string listed in scopes.Values)
        {
            if (BroadScopes.Contain(asked, listed))
                return true;
        }
        return false;
    }
}

/// <summary>Facts of the job that a permit takes from the proof alone.</summary>
internal sealed class AttestedCondition(JobFacts facts) : PolicyCondition
{
    public override string Name => "attestedOnly";

    public JobFacts Facts => facts;

    public override string Expected => $"{PolicyText.Facts(facts)} attested by the proof";

    public override bool HoldsFor(AccessRequest request) => (request.AttestedFacts & facts) == facts;

    public override string Presented(AccessRequest request) => $"{PolicyText.Facts(request.AttestedFacts)} attested";

    public override bool Covers(PolicyCondition other) => other is AttestedCondition attested && (attested.Facts & facts) == facts;
}

/// <summary>A rule for static keys alone, which says so.</summary>
internal sealed class StaticKeyCondition : PolicyCondition
{
    public override string Name => "static";

    public override string Expected => "a static key";

    public override bool HoldsFor(AccessRequest request) => request.StaticKey is not null;

    public override string Presented(AccessRequest request) => request.StaticKey is null ? "a credential that is issued" : "a static key";

    public override bool Covers(PolicyCondition other) => other is StaticKeyCondition;
}

/// <summary>Of a permit that says nothing of static keys: it permits none.</summary>
internal sealed class IssuedCondition : PolicyCondition
{
    public override string Name => "static";

    public override string Expected => "\"static\": true in the rule";

    public override bool HoldsFor(AccessRequest request) => request.StaticKey is null;

    public override string Presented(AccessRequest request) => "a static key";

    public override bool Covers(PolicyCondition other) => other is IssuedCondition;
}

/// <summary>A permit for what is exchanged alone, not for the platform's own token.</summary>
internal sealed class ExchangedCondition : PolicyCondition
{
    public override string Name => "notPlatformIssued";

    public override string Expected => "an exchange";

    public override bool HoldsFor(AccessRequest request) => !request.IsPlatformIssued;

    public override string Presented(AccessRequest request) => "the platform's own token, which nobody can shorten or end";

    public override bool Covers(PolicyCondition other) => other is ExchangedCondition;
}
