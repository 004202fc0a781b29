using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The secrets engines of the emulated Vault: each read makes a secret, with a lease where the engine has leases.</summary>
internal sealed class VaultSecretMaking(EmulatedVault vault, VaultBooks books, string canary, TimeProvider time)
{
    // A key-value store answers with Vault's default of 32 days, which means nothing.
    private const int DaysOfNothing = 32;

    private static readonly TimeSpan GoogleLife = TimeSpan.FromHours(1);

    public EmulatorAnswer Answer(EmulatorRequest request, string ns, string path, VaultToken token)
    {
        VaultSecretRole role = vault.FindSecret(ns, path) ?? throw VaultDenied.NotFound("path_unknown");
        if (!role.Takes(request.Http.Request.Method))
            throw new VaultDenied(405, "method", "1 error occurred:\n\t* unsupported operation\n\n");
        DateTimeOffset now = time.GetUtcNow();
        JsonObject data = Make(role.Shape, path[(path.LastIndexOf('/') + 1)..], now);
        JsonObject envelope = VaultEnvelope.Of(request.RequestId);
        if (role.Shape == VaultSecretShape.KeyValue)
        {
            envelope["lease_duration"] = DaysOfNothing * 24 * 60 * 60;
        }
        else if (role.Shape != VaultSecretShape.GoogleToken)
        {
            VaultLease lease = books.AddLease(token, role, data.ToJsonString(), request.RequestId);
            envelope["lease_id"] = lease.Id;
            envelope["lease_duration"] = VaultEnvelope.Seconds(lease.EndsAt - now);
            envelope["renewable"] = role.IsRenewable;
        }
        envelope["data"] = data;
        return EmulatorAnswer.Of(envelope);
    }

    private JsonObject Make(VaultSecretShape shape, string role, DateTimeOffset now) => shape switch
    {
        VaultSecretShape.Aws => new JsonObject { ["access_key"] = $"ASIA{Random(16).ToUpperInvariant()}", ["secret_key"] = Secret(), ["security_token"] = Secret(), ["arn"] = $"arn:aws:sts::000000000000:assumed-role/{role}/emulated" },
        VaultSecretShape.Azure => new JsonObject { ["client_id"] = Guid.NewGuid().ToString(), ["client_secret"] = Secret() },
        VaultSecretShape.GoogleToken => new JsonObject { ["token"] = Secret(), ["token_ttl"] = (long)GoogleLife.TotalSeconds, ["expires_at_seconds"] = (now + GoogleLife).ToUnixTimeSeconds() },
        VaultSecretShape.KeyValue => new JsonObject { ["value"] = Secret() },
        _ => new JsonObject { ["username"] = string.Create(CultureInfo.InvariantCulture, $"v-jwt-{role}-{Random(20)}-{now.ToUnixTimeSeconds()}"), ["password"] = Secret() },
    };

    private string Secret() => $"{canary}-{Random(32)}";

    private static string Random(int length) => RandomNumberGenerator.GetHexString(length, lowercase: true);
}
