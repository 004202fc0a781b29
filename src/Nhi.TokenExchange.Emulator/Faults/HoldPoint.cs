namespace Nhi.TokenExchange;

/// <summary>Where a held request stands still.</summary>
public enum HoldPoint
{
    /// <summary>Before the endpoint looks at it: nothing is issued yet.</summary>
    BeforeWork,

    /// <summary>After the endpoint did its work: a token may exist, and nobody has it yet.</summary>
    BeforeAnswer,
}
