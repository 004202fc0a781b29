using System.Net;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>The key-value engines of the emulated Vault, asked with nothing but HttpClient.</summary>
[TestFixture]
internal sealed class VaultKeyValueTests : EmulatorFixture
{
    private async Task<RawAnswer> AskAsync(HttpMethod method, string path, string? body = null, string? token = null)
    {
        using StringContent? content = body is null ? null : new StringContent(body);
        return await Raw.SendAsync(method, new Uri(Emulator.Vault.Address, $"/v1/{path}"), content, ("X-Vault-Token", token ?? Emulator.Vault.RootToken));
    }

    [Test]
    public async Task Version_2_keeps_versions_and_says_of_one_that_is_gone_why()
    {
        Emulator.Vault.AddKeyValue("kv");
        Assert.That((await AskAsync(HttpMethod.Post, "kv/data/app", """{"data":{"value":"one"},"options":{"cas":0}}""")).Json.GetProperty("data").GetProperty("version").GetInt32(), Is.EqualTo(1));
        Assert.That((await AskAsync(HttpMethod.Post, "kv/data/app", """{"data":{"value":"two"},"options":{"cas":0}}""")).Status, Is.EqualTo(HttpStatusCode.BadRequest), "check and set");
        await AskAsync(HttpMethod.Post, "kv/data/app", """{"data":{"value":"two"}}""");

        RawAnswer newest = await AskAsync(HttpMethod.Get, "kv/data/app"), first = await AskAsync(HttpMethod.Get, "kv/data/app?version=1");
        Assert.That((Value(newest), Value(first)), Is.EqualTo(("two", "one")));
        Assert.That((newest.Json.GetProperty("lease_id").GetString(), newest.Json.GetProperty("lease_duration").GetInt32(), newest.Json.GetProperty("renewable").GetBoolean()), Is.EqualTo(("", 0, false)));

        Assert.That((await AskAsync(HttpMethod.Delete, "kv/data/app")).Status, Is.EqualTo(HttpStatusCode.NoContent));
        RawAnswer deleted = await AskAsync(HttpMethod.Get, "kv/data/app");
        Assert.That((deleted.Status, deleted.Json.GetProperty("data").GetProperty("data").ValueKind, Metadata(deleted).GetProperty("deletion_time").GetString()!.Length > 0), Is.EqualTo((HttpStatusCode.NotFound, JsonValueKind.Null, true)));
        await AskAsync(HttpMethod.Post, "kv/undelete/app", """{"versions":[2]}""");
        Assert.That(Value(await AskAsync(HttpMethod.Get, "kv/data/app")), Is.EqualTo("two"));
        await AskAsync(HttpMethod.Post, "kv/destroy/app", """{"versions":[2]}""");
        RawAnswer destroyed = await AskAsync(HttpMethod.Get, "kv/data/app");
        Assert.That((destroyed.Status, Metadata(destroyed).GetProperty("destroyed").GetBoolean()), Is.EqualTo((HttpStatusCode.NotFound, true)));
        Assert.That((await AskAsync(HttpMethod.Get, "kv/data/none")).Status, Is.EqualTo(HttpStatusCode.NotFound));
        RawAnswer old = await AskAsync(HttpMethod.Get, "kv/app");
        Assert.That(old.Status, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(old.Json.GetProperty("warnings")[0].GetString(), Does.StartWith("Invalid path for a versioned K/V secrets engine"));
    }

    [Test]
    public async Task Version_1_keeps_the_last_value_alone_and_a_tokens_policy_counts()
    {
        Emulator.Vault.AddKeyValue("kv", hasVersions: false);
        Assert.That((await AskAsync(HttpMethod.Put, "kv/app", """{"value":"one"}""")).Status, Is.EqualTo(HttpStatusCode.NoContent));
        await AskAsync(HttpMethod.Put, "kv/app", """{"value":"two"}""");
        RawAnswer read = await AskAsync(HttpMethod.Get, "kv/app");
        Assert.That((read.Json.GetProperty("data").GetProperty("value").GetString(), read.Json.GetProperty("lease_duration").GetInt32()), Is.EqualTo(("two", 2_764_800)));
        Emulator.Vault.AddRole("narrow", Job.Subject).Paths.Clear();
        string proof = Job.Mint(Emulator.Vault.Address.GetLeftPart(UriPartial.Authority));
        RawAnswer login = await AskAsync(HttpMethod.Post, "auth/jwt/login", $$"""{"role":"narrow","jwt":"{{proof}}"}""");
        RawAnswer denied = await AskAsync(HttpMethod.Get, "kv/app", token: login.Json.GetProperty("auth").GetProperty("client_token").GetString());
        Assert.That(denied.Status, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That((await AskAsync(HttpMethod.Delete, "kv/app")).Status, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That((await AskAsync(HttpMethod.Get, "kv/app")).Status, Is.EqualTo(HttpStatusCode.NotFound));
    }

    private static string? Value(RawAnswer answer) => answer.Json.GetProperty("data").GetProperty("data").GetProperty("value").GetString();

    private static JsonElement Metadata(RawAnswer answer) => answer.Json.GetProperty("data").GetProperty("metadata");
}
