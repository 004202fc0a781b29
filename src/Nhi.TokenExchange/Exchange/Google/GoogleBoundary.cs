using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>A credential access boundary ("Downscope with Credential Access Boundaries"): a rule for each bucket that is left.</summary>
internal static class GoogleBoundary
{
    public const int MostRules = 10;

    private static readonly JsonWriterOptions Short = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The parameter <c>options</c> as JSON.</summary>
    public static string Of(IEnumerable<string> resources, IReadOnlyList<string> permissions)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Short))
        {
            json.WriteStartObject();
            json.WriteStartObject("accessBoundary");
            json.WriteStartArray("accessBoundaryRules");
            foreach (string resource in resources)
            {
                json.WriteStartObject();
                json.WriteString("availableResource", resource);
                json.WriteStartArray("availablePermissions");
                foreach (string permission in permissions)
                    json.WriteStringValue(permission);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
