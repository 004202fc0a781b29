using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The JSON body of a request to the emulated Vault.</summary>
internal sealed class VaultBody(JsonObject json)
{
    private const int LongestBody = 64 * 1024;

    public static async Task<VaultBody> ReadAsync(EmulatorRequest request)
    {
        using var body = new MemoryStream();
        await request.Http.Request.Body.CopyToAsync(body, request.Http.RequestAborted).ConfigureAwait(false);
        if (body.Length == 0)
            return new VaultBody([]);
        try
        {
            return body.Length <= LongestBody && JsonNode.Parse(body.ToArray()) is JsonObject json ? new VaultBody(json) : throw new VaultDenied(400, "body_malformed", "failed to parse JSON input");
        }
        catch (JsonException)
        {
            throw new VaultDenied(400, "body_malformed", "failed to parse JSON input");
        }
    }

    public string? Text(string name) => json[name] is JsonValue value && value.TryGetValue(out string? text) && text.Length > 0 ? text : null;

    public string Need(string name) => Text(name) ?? throw new VaultDenied(400, "parameter_missing", $"missing {name}");

    public bool Flag(string name) => json[name] is JsonValue value && value.TryGetValue(out bool flag) && flag;

    public JsonObject? Object(string name) => json[name] as JsonObject;

    /// <summary>The texts among the members of the body, or of one of its objects.</summary>
    public IReadOnlyDictionary<string, string> Texts(string? name = null)
    {
        JsonObject from = name is null ? json : Object(name) ?? throw new VaultDenied(400, "parameter_missing", $"no {name} provided");
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string member, JsonNode? value) in from)
        {
            if (value is JsonValue one && one.TryGetValue(out string? text))
                texts[member] = text;
        }
        return texts;
    }

    public IReadOnlyList<int> Numbers(string name) =>
        json[name] is JsonArray list ? [.. list.OfType<JsonValue>().Select(value => value.TryGetValue(out int number) ? number : throw new VaultDenied(400, "parameter_malformed", $"{name} is no list of numbers"))] : [];

    /// <summary>A duration: a number of seconds, or a text such as <c>60</c>, <c>60s</c>, <c>5m</c>, <c>1h</c>.</summary>
    public TimeSpan? Duration(string name)
    {
        if (json[name] is not JsonValue value)
            return null;
        return value.TryGetValue(out long seconds) ? TimeSpan.FromSeconds(seconds) : value.TryGetValue(out string? text) ? ParseDuration(text) : null;
    }

    public static TimeSpan? ParseDuration(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        int unit = text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, _ => 0 };
        return long.TryParse(unit == 0 ? text : text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? TimeSpan.FromSeconds(number * Math.Max(unit, 1))
            : throw new VaultDenied(400, "duration_malformed", "invalid duration");
    }
}
