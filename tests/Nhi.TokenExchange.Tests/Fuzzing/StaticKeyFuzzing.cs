using System.Net;
using System.Text.Json;
using Nhi.TokenExchange.Tests.Faults;
using Nhi.TokenExchange.Tests.Policy;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>What vaults answer that keep a static key. First line: <c>1</c> and <c>2</c> Vault's key-value engines, <c>v</c> a version in Azure Key Vault, else its newest; then <c>r</c> if it is read again. After it the answers.</summary>
internal static class StaticKeyFuzzing
{
    private const string Vault = "vault.example:8200";
    private const string KeyVault = "acme-legacy.vault.azure.net";
    private const string Version = "0123456789abcdef0123456789abcdef";

    private static readonly Uri VaultServer = new($"https://{Vault}");

    // As long a key is kept.
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(16);

    public static async Task<string> RunAsync(FuzzInput input)
    {
        char kind = input.ChoiceAt(0);
        bool isOfVault = kind is '1' or '2';
        string proof = FuzzInput.Proof(new Audience(isOfVault ? VaultServer.GetLeftPart(UriPartial.Authority) : AnsweringWire.Issuer));
        var wire = new FuzzedWire(input.Rest, proof, Own);
        string? opened = null;
        await using MutationJob job = await MutationJob.StartAsync(wire, b => b
            .Identity("job", MutationJob.Source(proof), ActsFor.Workload)
            .Target("vault", isOfVault ? Targets.VaultLogin(VaultServer, "orders") : ForKeyVault(), t =>
            {
                t.Identity = "job";
                t.Scopes = isOfVault ? ScopeSet.Empty : ScopeSet.Of("https://vault.azure.net/.default");
            })
            .Target("billing", Key(kind), t => t.Through = "vault")
            .Opener<Stream>("billing", (key, _) =>
            {
                opened = key;
                return new(Stream.Null);
            })
            .Policy(Policies.Of(StaticKeyJob.Login, StaticKeyJob.Permit)));

        await OpenAsync();
        if (input.ChoiceAt(1) == 'r')
        {
            job.Advance(Kept);
            await OpenAsync();
        }
        string said = await job.CompleteAsync(FuzzInput.Canary);
        job.AssertEnded();
        wire.AssertBounded(2, isOfVault ? [Vault] : [KeyVault, "issuer.example"]);
        return said;

        async Task OpenAsync()
        {
            opened = null;
            await job.TryAsync("billing", async session =>
            {
                await using Stream stream = await session.OpenAsync<Stream>("billing");
                return stream;
            });
            if (opened is null)
                return;
            // What is handed out is what another reader of JSON reads, too.
            using JsonDocument answer = JsonDocument.Parse(wire.LastBody);
            JsonElement at = kind switch { '1' => answer.RootElement.GetProperty("data"), '2' => answer.RootElement.GetProperty("data").GetProperty("data"), _ => answer.RootElement };
            Assert.That(opened, Is.EqualTo(at.GetProperty("value").GetString()));
            if (kind == 'v')
                Assert.That(answer.RootElement.GetProperty("id").GetString(), Does.EndWith(Version).IgnoreCase);
        }
    }

    private static TokenExchanger Key(char kind)
    {
        DateTimeOffset until = Proofs.Now.AddDays(90);
        return kind is '1' or '2'
            ? Targets.VaultStaticKey(VaultServer, StaticKeyJob.Path, StaticKeyJob.Owner, until, o => o.Engine = kind == '1' ? VaultKvEngine.Version1 : VaultKvEngine.Version2)
            : Targets.KeyVaultStaticKey(new Uri($"https://{KeyVault}"), "billing", StaticKeyJob.Owner, until, o => o.Version = kind == 'v' ? Version : null);
    }

    private static TokenExchanger<BearerToken> ForKeyVault() => Targets.Rfc8693(new Uri(AnsweringWire.Issuer), o =>
    {
        (o.TokenEndpoint, o.RevocationEndpoint) = (AnsweringWire.TokenEndpoint, AnsweringWire.RevocationEndpoint);
        o.SubjectAudience = AnsweringWire.Issuer;
    });

    // The token that the vault is shown.
    private static HttpResponseMessage? Own(string path) => path switch
    {
        "/v1/auth/jwt/login" or "/v1/auth/token/renew-self" => AnsweringWire.Json($$$"""{"request_id":"r-1","auth":{"client_token":"hvs.{{{FuzzInput.Canary}}}","accessor":"a-1","lease_duration":3600,"renewable":true,"num_uses":0}}"""),
        "/token" => AnsweringWire.Json(AnsweredJob.Answer($"at-{FuzzInput.Canary}")),
        "/v1/auth/token/revoke-self" => new HttpResponseMessage(HttpStatusCode.NoContent),
        "/revoke" => new HttpResponseMessage(HttpStatusCode.OK),
        _ => null,
    };
}
