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

    /// <summary>Nothing is cached, and the issuer is down; when all have failed, as many come again.</summary>
    ColdAndDown,

    /// <summary>What is cached is valid, its refresh is due, and the issuer is down; when all have been served and the tries are over, as many come again.</summary>
    RefreshDueAndDown,

    /// <summary>The same, and the issuer stays down: as many come within each back-off, and when it has passed.</summary>
    RefreshDueAndStaysDown,
}

/// <summary>What moments have in common.</summary>
public static class StampedeMoments
{
    /// <summary>Whether a valid token is in the cache, and its refresh is due.</summary>
    public static bool IsRefreshDue(this StampedeMoment moment) => moment is StampedeMoment.RefreshDue or StampedeMoment.RefreshDueAndDown or StampedeMoment.RefreshDueAndStaysDown;

    /// <summary>Whether the issuer is down.</summary>
    public static bool IsDown(this StampedeMoment moment) => moment is StampedeMoment.ColdAndDown or StampedeMoment.RefreshDueAndDown or StampedeMoment.RefreshDueAndStaysDown;

    /// <summary>Whether nothing is in the cache.</summary>
    public static bool IsCold(this StampedeMoment moment) => moment is StampedeMoment.Cold or StampedeMoment.ColdAndDown;
}
