namespace Nhi.TokenExchange;

/// <summary>What a function that signs a federated assertion is asked for.</summary>
public sealed class AssertionRequest
{
    /// <summary>The <c>aud</c> that the assertion must have, as one text.</summary>
    public required Audience Audience { get; init; }

    /// <summary>The job that asks.</summary>
    public required JobContext Job { get; init; }

    /// <summary>Now, for <c>iat</c> and <c>nbf</c>.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>From now to <c>exp</c>, about one minute: the assertion is for one exchange.</summary>
    public required TimeSpan Life { get; init; }

    /// <summary>The last assertion was refused as expired.</summary>
    public bool MustBeNew { get; init; }
}
