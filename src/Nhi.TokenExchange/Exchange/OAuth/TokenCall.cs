namespace Nhi.TokenExchange;

/// <summary>One form for an endpoint, and how its answers are to be taken.</summary>
internal sealed class TokenCall
{
    /// <summary>The part of the form that never changes, encoded once.</summary>
    public ReadOnlyMemory<byte> Prepared { get; init; }

    /// <summary>Adds the fields of this call. Called again for each try that needs a body of its own.</summary>
    public required Action<FormBody> Fill { get; init; }

    /// <summary>A 500 answer is not asked for again.</summary>
    public bool ServerErrorIsFinal { get; init; }

    /// <summary>What a 404 means here.</summary>
    public string? NotFoundHint { get; init; }

    /// <summary>What an error of the issuer (RFC 6749 §5.2) means here, where more is known than in general; null or a null result leaves the general hint.</summary>
    public Func<string, string?>? RefusalHint { get; init; }
}
