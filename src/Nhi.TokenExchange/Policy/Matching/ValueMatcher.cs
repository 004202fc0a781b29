using System.Collections.Frozen;

namespace Nhi.TokenExchange;

/// <summary>What a value has to be. Characters are compared as they are: no case is folded, nothing is normalised, nothing decoded.</summary>
internal abstract class ValueMatcher
{
    /// <summary>Whether a value matches; null is absent.</summary>
    public abstract bool Matches(string? value);

    /// <summary>What is expected, for a reason: <c>'orders' or 'returns'</c>.</summary>
    public abstract string Expected { get; }

    /// <summary>The only values that match; null if they can't be counted.</summary>
    public virtual IReadOnlyList<string>? Values => null;

    /// <summary>Whether an absent value matches.</summary>
    public virtual bool TakesAbsence => false;

    /// <summary>Whether everything that the other matches is certain to match here, too.</summary>
    public virtual bool Covers(ValueMatcher other)
    {
        if (other.TakesAbsence || other.Values is not { } values)
            return false;
        for (int i = 0; i < values.Count; i++)   // the enumerator would be an object for each pair of rules
        {
            if (!Matches(values[i]))
                return false;
        }
        return true;
    }
}

/// <summary>One text, or one of several.</summary>
internal sealed class OneOfValues : ValueMatcher
{
    // Below this many, comparing them in turn is as fast as hashing the value.
    private const int FewValues = 4;

    private readonly string[] _values;
    private readonly FrozenSet<string>? _set;

    public OneOfValues(IEnumerable<string> values)
    {
        _values = [.. values];
        _set = _values.Length > FewValues ? _values.ToFrozenSet(StringComparer.Ordinal) : null;
    }

    public override string Expected => PolicyText.OneOf(_values);

    public override IReadOnlyList<string> Values => _values;

    public override bool Matches(string? value)
    {
        if (value is null)
            return false;
        if (_set is not null)
            return _set.Contains(value);
        foreach (string one in _values)
        {
            if (string.Equals(one, value, StringComparison.Ordinal))
                return true;
        }
        return false;
    }
}

/// <summary>None of several texts; of a forbid alone. An absent value is none of them.</summary>
internal sealed class NoneOfValues(IEnumerable<string> values) : ValueMatcher
{
    private readonly OneOfValues _excepted = new(values);

    public IReadOnlyList<string> Excepted => _excepted.Values;

    public override string Expected => $"none of {_excepted.Expected}";

    public override bool TakesAbsence => true;

    public override bool Matches(string? value) => !_excepted.Matches(value);

    public override bool Covers(ValueMatcher other) => other switch
    {
        NoneOfValues none => _excepted.Values.All(value => none.Excepted.Contains(value, StringComparer.Ordinal)),
        Presence { IsPresent: false } => true,
        GlobbedValue glob => !_excepted.Values.Any(glob.Matches),
        _ => base.Covers(other),
    };
}

/// <summary>A text of a pattern.</summary>
internal sealed class GlobbedValue(SegmentGlob glob) : ValueMatcher
{
    public SegmentGlob Glob => glob;

    public override string Expected => $"segments '{glob.Pattern}'";

    public override bool Matches(string? value) => value is not null && glob.Matches(value);

    public override bool Covers(ValueMatcher other) => other is GlobbedValue globbed ? glob.Covers(globbed.Glob) : base.Covers(other);
}

/// <summary>Any value, or, of a forbid alone, no value.</summary>
internal sealed class Presence(bool isPresent) : ValueMatcher
{
    public bool IsPresent => isPresent;

    public override string Expected => isPresent ? "any value" : "no value";

    public override bool TakesAbsence => !isPresent;

    public override bool Matches(string? value) => value is not null == isPresent;

    public override bool Covers(ValueMatcher other) => isPresent ? !other.TakesAbsence : other is Presence { IsPresent: false };
}
