using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Compares granted authorization details with those that were asked for (RFC 9396 §7).</summary>
/// <remarks>
/// Each granted object must be an asked one, or narrower: the same members, where the lists <c>locations</c>, <c>actions</c>, <c>datatypes</c>
/// and <c>privileges</c> may be shorter but not empty, or be there when the asked object left them open. Anything else counts as wider.
/// </remarks>
internal static class AuthorizationDetailsCheck
{
    public static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    // RFC 9396 §2.2: each of these lists limits what the object grants.
    public static readonly string[] LimitingLists = ["locations", "actions", "datatypes", "privileges"];

    /// <summary>Says what is wrong with a text that is to be asked for; null if nothing is.</summary>
    public static string? FaultOfAsked(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, Strict);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return "is one JSON object, not an array of them (RFC 9396 §2)";
            return document.RootElement.ValueKind == JsonValueKind.Array && document.RootElement.GetArrayLength() > 0 && document.RootElement.EnumerateArray().All(IsTyped)
                ? document.RootElement.EnumerateArray().Select(EmptyListIn).FirstOrDefault(list => list is not null) is { } empty ? $"has an empty list of '{empty}', which limits nothing: leave it out, or say what there may be" : null
                : "is not a JSON array of objects, each with a 'type' (RFC 9396 §2)";
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)   // the second for half of a surrogate pair
        {
            return "is not well-formed JSON, has a member twice, or is nested too deep";
        }
    }

    /// <summary>Says how the granted details go beyond the asked ones; null if they don't.</summary>
    public static string? FaultOf(string? asked, string? granted)
    {
        if (granted is null)
            return asked is null ? null : "authorization_details were asked for and are absent, so what was granted can't be known";
        if (asked is null)
            return "authorization_details came that were not asked for";
        try
        {
            using JsonDocument question = JsonDocument.Parse(asked, Strict);
            using JsonDocument answer = JsonDocument.Parse(granted, Strict);
            if (answer.RootElement.ValueKind != JsonValueKind.Array)
                return "authorization_details came that are not an array";
            return answer.RootElement.EnumerateArray().All(one => IsTyped(one) && EmptyListIn(one) is null && question.RootElement.EnumerateArray().Any(wanted => IsWithin(one, wanted)))
                ? null
                : "authorization_details came that go beyond those asked for";
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)   // the second for half of a surrogate pair
        {
            return "authorization_details came that can't be read";
        }
    }

    private static bool IsTyped(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String;

    // RFC 9396 §2.2 does not say that a list of nothing grants nothing: it may as well mean no limit.
    private static string? EmptyListIn(JsonElement one) =>
        LimitingLists.FirstOrDefault(list => one.TryGetProperty(list, out JsonElement entries) && entries.ValueKind == JsonValueKind.Array && entries.GetArrayLength() == 0);

    private static bool IsWithin(JsonElement granted, JsonElement asked)
    {
        foreach (JsonProperty wanted in asked.EnumerateObject())
        {
            if (!granted.TryGetProperty(wanted.Name, out JsonElement got) || !IsWithin(wanted.Name, got, wanted.Value))
                return false;
        }
        return granted.EnumerateObject().All(got => asked.TryGetProperty(got.Name, out _) || LimitingLists.Contains(got.Name));
    }

    private static bool IsWithin(string name, JsonElement granted, JsonElement asked) =>
        JsonElement.DeepEquals(granted, asked)
        || (LimitingLists.Contains(name)
            && granted.ValueKind == JsonValueKind.Array && asked.ValueKind == JsonValueKind.Array
            && granted.EnumerateArray().All(one => asked.EnumerateArray().Any(wanted => JsonElement.DeepEquals(one, wanted))));
}
