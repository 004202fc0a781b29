namespace Nhi.TokenExchange;

/// <summary>One cache before a stampede. A new one is made for every moment.</summary>
public abstract class StampedePeer(string name)
{
    public string Name { get; } = name;

    /// <summary>Stands before its issuer.</summary>
    public IssuerGate Gate { get; } = new();

    /// <summary>Asks for the token once.</summary>
    public abstract Task CallAsync();

    /// <summary>Prepares, before the first call, that the moment can come. False: the peer has no such notion.</summary>
    public abstract bool Prepare(StampedeMoment moment);

    /// <summary>Lets the moment come, after the first call. What is issued from now on lives long: a second flight is then one too many.</summary>
    public virtual Task ComeAsync(StampedeMoment moment) => Task.CompletedTask;
}
