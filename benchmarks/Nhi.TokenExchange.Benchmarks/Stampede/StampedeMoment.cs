namespace Nhi.TokenExchange;

/// <summary>When the thousand callers come.</summary>
public enum StampedeMoment
{
    /// <summary>Nothing is cached.</summary>
    Cold,

    /// <summary>What is cached has expired.</summary>
    Expired,

    /// <summary>What is cached is valid, and its refresh is due.</summary>
    RefreshDue,
}
