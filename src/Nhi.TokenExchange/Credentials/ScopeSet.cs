using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Nhi.TokenExchange;

/// <summary>A set of OAuth scope tokens (RFC 6749 §3.3): order and repetition don't matter, case does.</summary>
public readonly struct ScopeSet : IEquatable<ScopeSet>
{
    // RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ): visible ASCII but for the quote and the backslash.
    private static readonly SearchValues<char> ScopeCharacters = SearchValues.Create(
        "!#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    private readonly string[]? _sorted;
    private readonly string? _text;

    private ScopeSet(string[] sorted)
    {
        _sorted = sorted;
        _text = string.Join(' ', sorted);
    }

    /// <summary>No scope: the issuer decides.</summary>
    public static ScopeSet Empty => default;

    /// <summary>Whether there is no scope.</summary>
    public bool IsEmpty => _sorted is null or [];

    /// <summary>The scopes, sorted by ordinal value.</summary>
    public IReadOnlyList<string> Values => _sorted ?? [];

    /// <summary>Makes a set of single scope tokens.</summary>
    /// <param name="scopes">The tokens; repetitions are dropped.</param>
    /// <exception cref="ArgumentException">One is empty or has a character that RFC 6749 §3.3 does not allow.</exception>
    public static ScopeSet Of(params ReadOnlySpan<string> scopes)
    {
        if (scopes.IsEmpty)
            return Empty;
        foreach (string scope in scopes)
            Check(scope);
        string[] sorted = [.. new SortedSet<string>(scopes.ToArray(), StringComparer.Ordinal)];
        return new ScopeSet(sorted);
    }

    /// <summary>Reads the space-delimited form of the <c>scope</c> parameter.</summary>
    /// <param name="text">Scope tokens with single spaces between them; null or empty gives <see cref="Empty"/>.</param>
    /// <exception cref="ArgumentException">As <see cref="Of"/>.</exception>
    public static ScopeSet Parse(string? text) =>
        string.IsNullOrEmpty(text) ? Empty : Of(text.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Whether a scope token is in the set.</summary>
    /// <param name="scope">One scope token.</param>
    public bool Contains(string scope) => _sorted is not null && Array.BinarySearch(_sorted, scope, StringComparer.Ordinal) >= 0;

    /// <summary>Whether every scope of this set is in the other.</summary>
    /// <param name="other">The set that may be wider.</param>
    public bool IsSubsetOf(ScopeSet other)
    {
        foreach (string scope in Values)
        {
            if (!other.Contains(scope))
                return false;
        }
        return true;
    }

    /// <summary>Same scopes.</summary>
    /// <param name="other">The set to compare with.</param>
    public bool Equals(ScopeSet other) => string.Equals(ToString(), other.ToString(), StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is ScopeSet other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>The space-delimited form of the <c>scope</c> parameter, sorted.</summary>
    public override string ToString() => _text ?? "";

    /// <summary>Same scopes.</summary>
    public static bool operator ==(ScopeSet left, ScopeSet right) => left.Equals(right);

    /// <summary>Not the same scopes.</summary>
    public static bool operator !=(ScopeSet left, ScopeSet right) => !left.Equals(right);

    private static void Check(string scope)
    {
        if (string.IsNullOrEmpty(scope))
            throw new ArgumentException("A scope is empty. Leave it out, or write its name.", nameof(scope));
        int position = scope.AsSpan().IndexOfAnyExcept(ScopeCharacters);
        if (position >= 0)
            throw new ArgumentException($"A scope has a character at position {position} that RFC 6749 §3.3 does not allow (visible ASCII without quote and backslash; one scope per entry).", nameof(scope));
    }
}
