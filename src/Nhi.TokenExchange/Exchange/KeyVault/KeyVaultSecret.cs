using System.Diagnostics;

namespace Nhi.TokenExchange;

/// <summary>Key Vault's SecretBundle: <c>value</c>, <c>id</c>, and of <c>attributes</c> <c>enabled</c>, <c>nbf</c> and <c>exp</c>, in seconds since 1970.</summary>
internal sealed class KeyVaultSecret
{
    private static readonly long LastSecond = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public string? Value { get; private set; }

    /// <summary>Its address with the version.</summary>
    public string? Id { get; private set; }

    public bool IsDisabled { get; private set; }

    public DateTimeOffset? NotBefore { get; private set; }

    public DateTimeOffset? ExpiresAt { get; private set; }

    /// <summary>The first fault of the form; null if there is none. Quotes no value.</summary>
    public string? Fault { get; private set; }

    public static KeyVaultSecret Read(ReadOnlySpan<byte> json)
    {
        var secret = new KeyVaultSecret();
        SentSecrets texts = new SentSecrets().AddTextsOf(json);
        var members = new JsonMembers(json, texts);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                case "value": secret.Value = members.Text(); break;
                case "id": secret.Id = members.Text(); break;
                case "attributes" when !members.IsNull: secret.ReadAttributes(members.Raw(), texts); break;
                default: break;
            }
        }
        secret.Fault ??= members.Fault ?? (secret.Value is null ? "has no value" : null);
        return secret;
    }

    private void ReadAttributes(ReadOnlySpan<byte> json, SentSecrets texts)
    {
        var members = new JsonMembers(json, texts);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                case "enabled": IsDisabled = !members.Raw().SequenceEqual("true"u8); break;
                case "nbf": NotBefore = Instant(members.WholeNumber()); break;
                case "exp": ExpiresAt = Instant(members.WholeNumber()); break;
                default: break;
            }
        }
        Fault ??= members.Fault is { } fault ? $"has attributes that can't be read: it {fault}" : null;
    }

    private DateTimeOffset? Instant(long? seconds)
    {
        if (seconds is >= 0 && seconds <= LastSecond)
            return DateTimeOffset.FromUnixTimeSeconds(seconds.Value);
        if (seconds is not null)
            Fault = "has attributes with an instant out of range";
        return null;
    }
}
