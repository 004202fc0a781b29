using System.Buffers;
using System.Diagnostics;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>One request to Vault. No record: that would print what it holds.</summary>
/// <param name="path">Below <c>/v1/</c>.</param>
internal sealed class VaultCall(string path)
{
    public string Path { get; } = path;

    /// <summary>Goes as <c>X-Vault-Token</c>; null at a login.</summary>
    public SubjectToken? Token { get; init; }

    /// <summary>A JSON body, which makes it a POST; null for a GET.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public byte[]? Body { get; init; }

    /// <summary>What the body holds that no message may show.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public string? BodySecret { get; init; }

    /// <summary>The call whose wrapped answer this one opens: what that sent is not to be shown either.</summary>
    public VaultCall? Opens { get; init; }

    /// <summary>How long the answer may lie wrapped; null: it is not wrapped.</summary>
    public TimeSpan? WrapFor { get; init; }

    /// <summary>Each one makes something new, or can be sent once only: not repeated where its answer may have been lost.</summary>
    public bool IsOnce { get; init; }

    /// <summary>What no message may show of what comes back.</summary>
    public SentSecrets Secrets()
    {
        SentSecrets secrets = Opens?.Secrets() ?? new SentSecrets();
        if (Token is { } token)
            secrets.Add(token.Reveal());
        if (BodySecret is { } secret)
            secrets.Add(secret);
        return secrets;
    }

    /// <summary>A JSON object of one or a few members; one without a value is left out.</summary>
    public static byte[] Object(params ReadOnlySpan<(string Name, object? Value)> members)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach ((string name, object? value) in members)
            {
                if (value is string text)
                    json.WriteString(name, text);
                else if (value is long number)
                    json.WriteNumber(name, number);
                else if (value is bool flag)
                    json.WriteBoolean(name, flag);
            }
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }
}
