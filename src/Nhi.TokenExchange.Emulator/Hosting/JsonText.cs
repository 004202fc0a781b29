using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Makes JSON arrays of texts.</summary>
internal static class JsonText
{
    public static JsonArray Array(IEnumerable<string> values) => new([.. values.Select(value => (JsonNode)value)]);
}
