using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The emulator's data API, seen by Open Policy Agent's own client as it is published: so the emulator, which our policy is tested against, keeps that contract.</summary>
internal sealed class OpaClientTests
{
    [Test]
    public async Task OPAs_own_client_understands_a_result_nothing_and_an_error()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
        emulator.DecisionPoint.Rule = question => (bool?)question["fail"] == true
            ? throw new InvalidOperationException("planned")
            : new EmulatedDecision { IsPermitted = (string?)question["subject"]?["id"] == "job", Reason = "night", MaxLifetime = TimeSpan.FromMinutes(10) };
        var asked = new JsonObject { ["server"] = emulator.DecisionPoint.Address.OriginalString, ["path"] = emulator.DecisionPoint.OpaPath, ["input"] = new JsonObject { ["subject"] = new JsonObject { ["id"] = "job" } } };

        await using NodeProgram node = await NodeProgram.StartAsync("@open-policy-agent/opa", ["opa.mjs"], asked.ToJsonString());
        JsonNode told = JsonNode.Parse(await node.RunToEndAsync())!;

        Assert.That(((bool)told["decision"]!["allow"]!, (int)told["decision"]!["max_lifetime_seconds"]!, (string?)told["decision"]!["reasons"]![0]), Is.EqualTo((true, 600, "night")), told.ToJsonString());
        Assert.That(told["undefined"]?["allow"], Is.Null, told.ToJsonString());
        Assert.That(told["broken"]!["error"], Is.Not.Null, told.ToJsonString());
    }
}
