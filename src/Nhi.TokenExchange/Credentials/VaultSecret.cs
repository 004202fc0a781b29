using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Nhi.TokenExchange;

/// <summary>A dynamic secret of Vault or OpenBao: the fields that its secrets engine made, such as <c>username</c> and <c>password</c>.</summary>
public sealed class VaultSecret : Credential
{
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly IReadOnlyDictionary<string, string> _values;

    /// <summary>Makes a secret from what an issuer answered.</summary>
    /// <param name="data">The JSON object of the answer's <c>data</c>.</param>
    /// <param name="expiresAt">The end of the lease.</param>
    /// <exception cref="ArgumentException">It is empty.</exception>
    internal VaultSecret(string data, DateTimeOffset expiresAt)
        : base(data, expiresAt) =>
        _values = VaultFields.Read(data);

    /// <summary>The same secret with another end.</summary>
    internal VaultSecret(VaultSecret renewed, DateTimeOffset expiresAt)
        : base(renewed.Secret, expiresAt)
    {
        _values = renewed._values;
        IssuedTo = renewed.IssuedTo;
        IsRenewable = renewed.IsRenewable;
    }

    /// <summary>The names of its fields.</summary>
    public IEnumerable<string> Fields => _values.Keys;

    /// <summary>The Vault token that it was issued to, which may also end it. It ends with that token.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    internal SubjectToken? IssuedTo { get; init; }

    internal bool IsRenewable { get; init; }

    /// <summary>The value of a field. For adapters that hand it to the target; never for logs or messages.</summary>
    /// <param name="field">Its name, such as <c>password</c>.</param>
    /// <returns>The text; of a number, a flag or a structure its JSON.</returns>
    /// <exception cref="KeyNotFoundException">There is no such field, or it is null; the message names those that there are.</exception>
    public string Reveal(string field) =>
        TryReveal(field, out string? value) ? value : throw new KeyNotFoundException($"The secret has no field '{field}'; it has: {string.Join(", ", _values.Keys)}.");

    /// <summary>As <see cref="Reveal"/>.</summary>
    /// <param name="field">Its name.</param>
    /// <param name="value">The text.</param>
    /// <returns>False: there is no such field, or it is null.</returns>
    public bool TryReveal(string field, [NotNullWhen(true)] out string? value)
    {
        ArgumentNullException.ThrowIfNull(field);
        return _values.TryGetValue(field, out value);
    }
}
