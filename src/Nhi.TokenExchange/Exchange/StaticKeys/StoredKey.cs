using System.Diagnostics;

namespace Nhi.TokenExchange;

/// <summary>What a vault gave: the key, and what it says of it.</summary>
internal sealed class StoredKey(string text)
{
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly string _text = text;

    /// <summary>The key. A method, which no serializer calls.</summary>
    public string Reveal() => _text;

    /// <summary>In the vault's words; null where it keeps none.</summary>
    public string? Version { get; init; }

    /// <summary>Not to be used before; null if the vault says nothing.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>Not to be used from then on; null if the vault says nothing.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>The vault's name for the request.</summary>
    public string? CorrelationId { get; init; }
}
