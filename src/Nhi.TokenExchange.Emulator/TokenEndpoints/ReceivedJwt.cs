using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Nhi.TokenExchange;

/// <summary>A JWT as it came, taken apart but not trusted.</summary>
internal sealed class ReceivedJwt
{
    // Proofs of the platforms are 1 to 4 KiB; 64 KiB is a wide bound.
    private const int LongestToken = 64 * 1024;

    // RFC 8725 §2.4, §3: nothing ambiguous, nothing deep.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    private ReceivedJwt(string compact, JsonElement header, JsonElement payload)
    {
        Compact = compact;
        Header = header;
        Payload = payload;
    }

    public string Compact { get; }

    public JsonElement Header { get; }

    public JsonElement Payload { get; }

    /// <summary>Takes a compact JWS apart (RFC 7515 §7.1).</summary>
    public static ReceivedJwt Parse(string compact)
    {
        if (compact.Length > LongestToken)
            throw new ProofRefused("too_long", $"the token has {compact.Length} characters; {LongestToken} are allowed");
        string[] parts = compact.Split('.');
        if (parts.Length != 3)
            throw new ProofRefused("not_a_jws", $"the token has {parts.Length} parts; a signed JWT has 3");
        return new ReceivedJwt(compact, Part(parts[0], "header"), Part(parts[1], "payload"));
    }

    public string? HeaderText(string name) => Text(Header, name);

    public string? ClaimText(string name) => Text(Payload, name);

    /// <summary>RFC 7519 §4.1.3: one text or an array of texts.</summary>
    public IReadOnlyList<string> Audience()
    {
        if (!Payload.TryGetProperty("aud", out JsonElement aud))
            return [];
        if (aud.ValueKind == JsonValueKind.String)
            return [aud.GetString()!];
        return aud.ValueKind == JsonValueKind.Array ? [.. aud.EnumerateArray().Where(a => a.ValueKind == JsonValueKind.String).Select(a => a.GetString()!)] : [];
    }

    /// <summary>RFC 7519 §2, NumericDate; null when the claim is absent.</summary>
    public DateTimeOffset? Instant(string claim)
    {
        if (!Payload.TryGetProperty(claim, out JsonElement value))
            return null;
        double last = DateTimeOffset.MaxValue.ToUnixTimeSeconds();
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double seconds) || !(seconds >= 0 && seconds <= last))
            throw new ProofRefused("claim_malformed", $"the claim {claim} is no instant");
        return DateTimeOffset.FromUnixTimeSeconds((long)seconds);
    }

    private static string? Text(JsonElement from, string name) =>
        from.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement Part(string encoded, string name)
    {
        try
        {
            string json = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Base64UrlEncoder.DecodeBytes(encoded));
            using JsonDocument document = JsonDocument.Parse(json, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new ProofRefused("not_a_jws", $"the token's {name} is no JSON object");
            return document.RootElement.Clone();
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException)
        {
            throw new ProofRefused("not_a_jws", $"the token's {name} is no base64url JSON object");
        }
    }
}
