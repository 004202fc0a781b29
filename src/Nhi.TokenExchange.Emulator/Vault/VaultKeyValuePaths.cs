using System.Globalization;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>What the emulated Vault answers below the mount of a key-value engine.</summary>
internal static class VaultKeyValuePaths
{
    // A key-value store of version 1 answers with Vault's default of 32 days, which means nothing.
    private const int DaysOfNothing = 32;

    public static EmulatorAnswer Answer(VaultKeyValue engine, EmulatorRequest request, string path, VaultBody body)
    {
        string method = request.Http.Request.Method;
        return engine.HasVersions ? OfVersion2(engine, request, path, method, body) : OfVersion1(engine, request, path, method, body);
    }

    private static EmulatorAnswer OfVersion1(VaultKeyValue engine, EmulatorRequest request, string path, string method, VaultBody body)
    {
        switch (method)
        {
            case "GET":
                VaultKeyValueVersion found = engine.Find(path, null) ?? throw VaultDenied.NotFound("secret_unknown");
                JsonObject envelope = VaultEnvelope.OfData(request.RequestId, Fields(found));
                envelope["lease_duration"] = DaysOfNothing * 24 * 60 * 60;
                return EmulatorAnswer.Of(envelope);
            case "POST" or "PUT":
                engine.Put(path, body.Texts(), deletedAt: null);
                return EmulatorAnswer.Empty(204);
            case "DELETE":
                engine.Delete(path);
                return EmulatorAnswer.Empty(204);
            default:
                throw NotSupported();
        }
    }

    private static EmulatorAnswer OfVersion2(VaultKeyValue engine, EmulatorRequest request, string path, string method, VaultBody body)
    {
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        string kind = slash < 0 ? path : path[..slash], secret = slash < 0 ? "" : path[(slash + 1)..];
        switch (kind, method)
        {
            case ("data", "GET"):
                return Read(engine, request, secret);
            case ("data", "POST" or "PUT"):
                if (body.Object("options")?["cas"] is { } cas && cas.GetValue<int>() != engine.Newest(secret))
                    throw new VaultDenied(400, "cas", "check-and-set parameter did not match the current version");
                engine.Put(secret, body.Texts("data"), deletedAt: null);
                return EmulatorAnswer.Of(VaultEnvelope.OfData(request.RequestId, Metadata(engine.Find(secret, null)!)));
            case ("data", "DELETE"):
                engine.Delete(secret);
                return EmulatorAnswer.Empty(204);
            case ("delete", "POST" or "PUT"):
                foreach (int version in body.Numbers("versions"))
                    engine.Delete(secret, version);
                return EmulatorAnswer.Empty(204);
            case ("undelete", "POST" or "PUT"):
                foreach (int version in body.Numbers("versions"))
                    engine.Undelete(secret, version);
                return EmulatorAnswer.Empty(204);
            case ("destroy", "POST" or "PUT"):
                foreach (int version in body.Numbers("versions"))
                    engine.Destroy(secret, version);
                return EmulatorAnswer.Empty(204);
            case ("data" or "delete" or "undelete" or "destroy", _):
                throw NotSupported();
            default:
                // A path of version 1: the real one says so in a warning.
                return EmulatorAnswer.Of(new JsonObject
                {
                    ["errors"] = new JsonArray(),
                    ["warnings"] = JsonText.Array(["Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. If using the Vault CLI, use 'vault kv get' for this operation."]),
                }, 404);
        }
    }

    // What was deleted or destroyed is not there, and its metadata says why.
    private static EmulatorAnswer Read(VaultKeyValue engine, EmulatorRequest request, string path)
    {
        int? asked = request.Query("version") is not { } text ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number
            : throw new VaultDenied(400, "version_malformed", "Field validation failed: error converting input for field \"version\"");
        VaultKeyValueVersion version = engine.Find(path, asked) ?? throw VaultDenied.NotFound("secret_unknown");
        return EmulatorAnswer.Of(VaultEnvelope.OfData(request.RequestId, new JsonObject { ["data"] = version.IsGone ? null : Fields(version), ["metadata"] = Metadata(version) }), version.IsGone ? 404 : 200);
    }

    private static JsonObject Fields(VaultKeyValueVersion version) => new([.. version.Fields.Select(field => KeyValuePair.Create(field.Key, (JsonNode?)field.Value))]);

    private static JsonObject Metadata(VaultKeyValueVersion version) => new()
    {
        ["created_time"] = Instant(version.CreatedAt), ["custom_metadata"] = null, ["deletion_time"] = version.DeletedAt is { } at ? Instant(at) : "", ["destroyed"] = version.IsDestroyed, ["version"] = version.Number,
    };

    // Go writes nanoseconds.
    private static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff", CultureInfo.InvariantCulture) + "00Z";

    private static VaultDenied NotSupported() => new(405, "method", "1 error occurred:\n\t* unsupported operation\n\n");
}
