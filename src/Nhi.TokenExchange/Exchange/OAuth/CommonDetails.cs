using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>What two lists of authorization details have in common (RFC 9396 §2): what is asked for, as far as a policy lets it.</summary>
/// <remarks>Each pair of objects that say the same gives one, with those entries of their limiting lists that both have. So what is left is within both, as <see cref="AuthorizationDetailsCheck"/> understands it.</remarks>
internal static class CommonDetails
{
    /// <summary>Compares two JSON arrays that have the form of details.</summary>
    /// <returns>A JSON array; null if they have nothing in common.</returns>
    public static string? Of(string asked, string limit)
    {
        using JsonDocument question = JsonDocument.Parse(asked, AuthorizationDetailsCheck.Strict);
        using JsonDocument bound = JsonDocument.Parse(limit, AuthorizationDetailsCheck.Strict);
        var common = new List<string>();
        foreach (JsonElement one in question.RootElement.EnumerateArray())
        {
            foreach (JsonElement other in bound.RootElement.EnumerateArray())
            {
                if (OfObjects(one, other) is { } left && !common.Contains(left))
                    common.Add(left);
            }
        }
        return common.Count == 0 ? null : $"[{string.Join(',', common)}]";
    }

    private static string? OfObjects(JsonElement asked, JsonElement limit)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (JsonProperty wanted in asked.EnumerateObject())
            {
                if (!TryWrite(json, wanted, limit.TryGetProperty(wanted.Name, out JsonElement bound) ? bound : null))
                    return null;
            }
            // What the asked one leaves open, the limit closes.
            foreach (JsonProperty bound in limit.EnumerateObject().Where(bound => !asked.TryGetProperty(bound.Name, out _)))
            {
                if (!TryWrite(json, bound, null))
                    return null;
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    // A member that only one of them has, is open in the other if it is a limiting list, and else makes it another object.
    private static bool TryWrite(Utf8JsonWriter json, JsonProperty member, JsonElement? other)
    {
        bool limits = AuthorizationDetailsCheck.LimitingLists.Contains(member.Name);
        if (other is { } bound ? JsonElement.DeepEquals(member.Value, bound) : limits)
        {
            json.WritePropertyName(member.Name);
            member.Value.WriteTo(json);
            return true;
        }
        if (!limits || member.Value.ValueKind != JsonValueKind.Array || other is not { ValueKind: JsonValueKind.Array } list)
            return false;
        JsonElement[] both = [.. member.Value.EnumerateArray().Where(entry => list.EnumerateArray().Any(allowed => JsonElement.DeepEquals(entry, allowed)))];
        if (both.Length == 0)
            return false;
        json.WriteStartArray(member.Name);
        foreach (JsonElement entry in both)
            entry.WriteTo(json);
        json.WriteEndArray();
        return true;
    }
}
