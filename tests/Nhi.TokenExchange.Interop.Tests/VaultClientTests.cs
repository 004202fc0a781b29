using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The emulator of Vault, seen by node-vault as it is published: the shapes that it expects, and leases that live.</summary>
internal sealed class VaultClientTests
{
    private const string Path = "database/creds/readonly";

    [Test]
    public async Task Node_vault_logs_in_reads_renews_revokes_and_unwraps([Values] bool kubernetes, [Values("", "acme/eu")] string ns)
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
        JobIdentity job = emulator.JobIdentity(kubernetes ? ProofShape.Kubernetes : ProofShape.GitHub);
        emulator.Vault.AddRole("orders", job.Subject, kubernetes ? "kubernetes" : "jwt", ns);
        emulator.Vault.AddSecret(Path, ns: ns).MaxTtl = TimeSpan.FromHours(2);
        var asked = new JsonObject
        {
            ["endpoint"] = emulator.Vault.Address.GetLeftPart(UriPartial.Authority), ["namespace"] = ns.Length > 0 ? ns : null, ["kubernetes"] = kubernetes, ["role"] = "orders", ["path"] = Path,
            ["jwt"] = job.Mint(emulator.Vault.Address.GetLeftPart(UriPartial.Authority)),
        };

        await using NodeProgram node = await NodeProgram.StartAsync("node-vault", ["vault.mjs"], asked.ToJsonString());
        JsonNode told = JsonNode.Parse(await node.RunToEndAsync())!;

        string? Of(string path) => path.Split('/').Aggregate((JsonNode?)told, (at, name) => at?[name])?.ToString();
        Assert.That((Of("login/auth/token_type"), Of("login/auth/renewable"), Of("login/auth/lease_duration"), Of("login/auth/metadata/role")), Is.EqualTo(("service", "true", "3600", "orders")), told.ToJsonString());
        Assert.That(Of("self/data/accessor"), Is.EqualTo(Of("login/auth/accessor")).And.Not.Empty);
        Assert.That(Of("secret/lease_id"), Does.StartWith(Path + "/"));
        Assert.That((Of("secret/renewable"), Of("secret/lease_duration"), Of("secret/data/username")?[..15]), Is.EqualTo(("true", "3600", "v-jwt-readonly-")));
        Assert.That(Of("looked/data/id"), Is.EqualTo(Of("secret/lease_id")));
        Assert.That(Of("renewed/lease_duration"), Is.EqualTo("1800"));
        Assert.That(int.Parse(Of("capped/lease_duration")!, System.Globalization.CultureInfo.InvariantCulture), Is.InRange(7000, 7200));
        Assert.That(Of("revoked"), Is.Null.Or.Empty);
        Assert.That((Of("renewedAfterEnd/status"), Of("renewedAfterEnd/error")), Is.EqualTo(("400", "lease not found")));
        Assert.That((Of("wrapped/data"), Of("wrapped/wrap_info/ttl")), Is.EqualTo(((string?)null, "60")));
        Assert.That(Of("wrapped/wrap_info/creation_path"), Does.EndWith(Path));
        Assert.That(Of("unwrapped/data/password"), Does.StartWith(emulator.Canaries.Vault));
        Assert.That((Of("unwrappedAgain/status"), Of("unwrappedAgain/error")), Is.EqualTo(("400", "wrapping token is not valid or does not exist")));
        Assert.That(Of("tokenRenewed/auth/lease_duration"), Is.EqualTo("1800"));
        Assert.That(Of("afterEnd/status"), Is.EqualTo("403"));
        Assert.That((emulator.Vault.OpenTokens, emulator.Vault.OpenLeases), Is.EqualTo((0, 0)), "the second lease went with its token");
    }
}
