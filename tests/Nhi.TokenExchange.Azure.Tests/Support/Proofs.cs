using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>Proofs and tokens made at run time. The signature is noise of the right length: Entra verifies it, and here nobody is Entra.</summary>
internal static class Proofs
{
    public const string Canary = "proofcanary";

    public static DateTimeOffset Now { get; } = new ManualTimeProvider().GetUtcNow();

    /// <summary>What stands in every token of these tests.</summary>
    public static string Token(string name = "one") => $"opaque-tokencanary-{name}-0123456789";

    public static string Of(params (string Name, JsonNode? Value)[] changes)
    {
        var claims = new JsonObject
        {
            ["iss"] = "https://token.actions.githubusercontent.com", ["sub"] = "repo:acme/orders:ref:refs/heads/main", ["aud"] = "api://AzureADTokenExchange",
            ["iat"] = Now.ToUnixTimeSeconds(), ["nbf"] = Now.ToUnixTimeSeconds(), ["exp"] = Now.ToUnixTimeSeconds() + 300,
            ["repository"] = "acme/orders", ["run_id"] = "77", ["canary"] = Canary,
        };
        foreach ((string name, JsonNode? value) in changes)
        {
            claims.Remove(name);
            if (value is not null)
                claims[name] = value.DeepClone();
        }
        return $"{Part("""{"alg":"RS256","typ":"JWT","kid":"key-1"}""")}.{Part(claims.ToJsonString())}.{Base64Url.EncodeToString(new byte[256])}";
    }

    /// <summary>A managed identity's access token.</summary>
    public static string ManagedIdentity(string audience = "3f6c0f9e-0000-4000-8000-00000000a0d1", params (string Name, JsonNode? Value)[] changes) => Of(
    [
        ("iss", "https://sts.windows.net/6f1c1f3e-0000-4000-8000-00000000cafe/"), ("sub", "0b1c0000-0000-4000-8000-0000000000aa"), ("oid", "0b1c0000-0000-4000-8000-0000000000aa"),
        ("aud", audience), ("appid", "0b1c0000-0000-4000-8000-0000000000bb"), ("idtyp", "app"), ("exp", Now.ToUnixTimeSeconds() + 86400), ("repository", null), ("run_id", null), .. changes,
    ]);

    /// <summary>Fails if a proof, a token or a part of one is anywhere in the exception.</summary>
    public static void AssertNothingShown(Exception exception)
    {
        string said = exception.ToString();
        foreach (string secret in new[] { Canary, "tokencanary", Part($"\"{Canary}\"")[2..12], Of()[..40] })
            Assert.That(said, Does.Not.Contain(secret));
    }

    private static string Part(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
