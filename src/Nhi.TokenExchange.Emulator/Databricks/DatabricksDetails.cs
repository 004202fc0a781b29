using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The <c>authorization_details</c> of a request (RFC 9396 §2), and what they allow.</summary>
internal static class DatabricksDetails
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>Checks what was asked. Returns it in a form of its own; null when nothing was.</summary>
    public static string? Read(string? json, ICollection<string> types)
    {
        if (json is null)
            return null;
        try
        {
            if (JsonNode.Parse(json, documentOptions: Strict) is JsonArray { Count: > 0 } details && details.All(one => one is JsonObject detail && TypeOf(detail) is { } type && types.Contains(type)))
                return details.ToJsonString();
        }
        catch (Exception malformed) when (malformed is JsonException or ArgumentException)
        {
            // As what has another form.
        }
        throw new OAuthRefusal("invalid_authorization_details", "details_malformed", $"authorization_details must be an array of objects whose type is one of: {string.Join(", ", types)}");
    }

    /// <summary>Whether a token with these details may read a table. Without details it may what its scopes say.</summary>
    public static bool LetRead(string? details, string table) => details is null || JsonNode.Parse(details)!.AsArray().Any(one => IsSelectOn(one!, table));

    // As the public examples write them: privileges, object_type, object_full_path.
    private static bool IsSelectOn(JsonNode detail, string table) =>
        detail["object_full_path"]?.ToString() is { } path && (path == table || path.EndsWith("." + table, StringComparison.Ordinal))
        && detail["privileges"] is JsonArray privileges && privileges.Any(privilege => privilege?.ToString() == "SELECT");

    private static string? TypeOf(JsonObject detail) => detail["type"] is JsonValue value && value.TryGetValue(out string? type) ? type : null;
}
