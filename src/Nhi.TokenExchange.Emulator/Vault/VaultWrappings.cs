using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Response wrapping of the emulated Vault: an answer is put away, and given once to who has the wrapping token.</summary>
internal sealed class VaultWrappings(string canary, TimeProvider time)
{
    private const string Invalid = "wrapping token is not valid or does not exist";

    private readonly ConcurrentDictionary<string, Wrapped> _wrapped = new(StringComparer.Ordinal);

    public EmulatorAnswer Wrap(EmulatorRequest request, EmulatorAnswer answer, string path, TimeSpan life)
    {
        DateTimeOffset now = time.GetUtcNow();
        string token = $"hvs.{canary}{RandomNumberGenerator.GetHexString(48, lowercase: true)}";
        _wrapped[token] = new Wrapped(answer.Json!, path, now, life);
        JsonObject envelope = VaultEnvelope.Of("");
        envelope["wrap_info"] = new JsonObject
        {
            ["token"] = token, ["accessor"] = RandomNumberGenerator.GetHexString(24, lowercase: true), ["ttl"] = VaultEnvelope.Seconds(life), ["creation_time"] = now.ToString("O", CultureInfo.InvariantCulture),
            ["creation_path"] = path, ["wrapped_accessor"] = answer.Json!["auth"]?["accessor"]?.DeepClone(),
        };
        return EmulatorAnswer.Of(envelope);
    }

    public EmulatorAnswer Answer(EmulatorRequest request, string action, VaultBody body)
    {
        string token = body.Text("token") ?? request.Header("X-Vault-Token") ?? throw new VaultDenied(400, "wrapping_token_missing", Invalid);
        switch (action)
        {
            case "lookup":
                Wrapped looked = Alive(_wrapped.GetValueOrDefault(token));
                return EmulatorAnswer.Of(VaultEnvelope.OfData(request.RequestId, new JsonObject
                {
                    ["creation_path"] = looked.Path, ["creation_time"] = looked.At.ToString("O", CultureInfo.InvariantCulture), ["creation_ttl"] = VaultEnvelope.Seconds(looked.Life),
                }));
            case "unwrap":
                return EmulatorAnswer.Of(Alive(_wrapped.TryRemove(token, out Wrapped? taken) ? taken : null).Json);
            default:
                throw VaultDenied.NotFound("path_unknown");
        }
    }

    private Wrapped Alive(Wrapped? wrapped) =>
        wrapped is not null && time.GetUtcNow() < wrapped.At + wrapped.Life ? wrapped : throw new VaultDenied(400, "wrapping_token_used", Invalid);

    private sealed record Wrapped(JsonObject Json, string Path, DateTimeOffset At, TimeSpan Life);
}
