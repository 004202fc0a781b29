namespace Nhi.TokenExchange;

/// <summary>What doctor says of a stage.</summary>
internal enum Verdict
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>It works, and somebody should look at it.</summary>
    Warning,

    /// <summary>This is why it does not work.</summary>
    Failed,
}
