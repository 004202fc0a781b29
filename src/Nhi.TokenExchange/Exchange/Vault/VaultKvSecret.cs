using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>What the <c>data</c> of a key-value engine's answer says of one field. Quotes no value where something is wrong.</summary>
internal sealed class VaultKvSecret
{
    public static readonly VaultKvSecret Nothing = new();

    /// <summary>The field, if it is there and a text.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public string? Value { get; private set; }

    /// <summary>How many fields there are.</summary>
    public int Fields { get; private set; }

    public string? Version { get; private set; }

    /// <summary>When the version was, or will be, deleted (<c>deletion_time</c>).</summary>
    public DateTimeOffset? DeletedAt { get; private set; }

    public bool IsDestroyed { get; private set; }

    /// <summary>What is wrong with the form; null if nothing is.</summary>
    public string? Fault { get; private set; }

    /// <summary>Reads it.</summary>
    /// <param name="data">The JSON of <c>data</c>; null if there is none.</param>
    /// <param name="field">Which field counts.</param>
    /// <param name="hasVersions">Whether fields and metadata stand one level deeper, as version 2 has it.</param>
    public static VaultKvSecret Read(string? data, string field, bool hasVersions)
    {
        var secret = new VaultKvSecret();
        if (data is null)
        {
            secret.Fault = "has no data";
            return secret;
        }
        byte[] json = Encoding.UTF8.GetBytes(data);
        SentSecrets texts = new SentSecrets().AddTextsOf(json);
        if (!hasVersions)
        {
            secret.ReadFields(json, field, texts);
            return secret;
        }
        bool hasData = false;
        var members = new JsonMembers(json, texts);
        while (members.MoveNext())
        {
            if (members.Name == "data")
            {
                hasData = true;
                if (!members.IsNull)
                    secret.ReadFields(members.Raw(), field, texts);
            }
            else if (members.Name == "metadata" && !members.IsNull)
                secret.ReadMetadata(members.Raw(), texts);
        }
        // What is wrong with the object itself, the answer has noted that it stands in.
        secret.Fault ??= hasData ? null : "has no data in its data: is the engine version 1? Then say so (Engine)";
        return secret;
    }

    private void ReadFields(ReadOnlySpan<byte> json, string field, SentSecrets texts)
    {
        var members = new JsonMembers(json, texts);
        while (members.MoveNext())
        {
            Fields++;
            // A number or a flag was never meant to be a key; a null is none.
            if (members.Name == field && !members.IsNull)
                Value = members.Text();
        }
        Fault ??= members.Fault is { } fault ? $"has fields of a secret that can't be read: it {fault}" : null;
    }

    private void ReadMetadata(ReadOnlySpan<byte> json, SentSecrets texts)
    {
        var members = new JsonMembers(json, texts);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                case "version": Version = members.WholeNumber()?.ToString(CultureInfo.InvariantCulture); break;
                case "destroyed": IsDestroyed = members.Raw().SequenceEqual("true"u8); break;
                case "deletion_time" when members.Text() is { Length: > 0 } text: DeletedAt = Instant(text); break;
                default: break;
            }
        }
        Fault ??= members.Fault is { } fault ? $"has a metadata that {fault}" : null;
    }

    // RFC 3339 with nanoseconds, of which .NET has hundreds.
    private DateTimeOffset? Instant(string text)
    {
        int dot = text.IndexOf('.', StringComparison.Ordinal), zone = text.AsSpan().LastIndexOfAny('Z', '+', '-');
        string whole = dot < 0 || zone < dot ? text : text[..dot] + text[zone..];
        if (DateTimeOffset.TryParseExact(whole, "yyyy-MM-dd'T'HH:mm:ssK", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset instant))
            return instant.ToUniversalTime();
        Fault ??= "has a deletion_time that is no instant";
        return null;
    }
}
