namespace Nhi.TokenExchange;

/// <summary>What came of one case of a policy's tests.</summary>
public sealed class PolicyTestResult
{
    internal PolicyTestResult(string name, int line, string? difference)
    {
        Name = name;
        Line = line;
        Difference = difference;
    }

    /// <summary>The name of the case.</summary>
    public string Name { get; }

    /// <summary>The line of the file where the case begins, from 1.</summary>
    public int Line { get; }

    /// <summary>Whether the policy decides as it is expected to.</summary>
    public bool IsMet => Difference is null;

    /// <summary>What was expected and what was decided, and why; null if the expectation is met.</summary>
    public string? Difference { get; }

    /// <summary>The case and what came of it.</summary>
    public override string ToString() => IsMet ? $"{Name}: as expected" : FormattableString.Invariant($"{Name} (line {Line}): {Difference}");
}
