using System.Globalization;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Permit and forbid, exact values, sets and scopes decide as in Cedar, an engine that we did not write; with the same rules named as the cause. Globs, time and limits it has not, or otherwise.</summary>
[Parallelizable]
internal sealed class CedarParityTests
{
    private const string Wanted = "NHI_CEDAR_REQUESTS";
    private const int InEveryRun = 20_000;
    private const int UnderCI = 100_000;   // half a minute
    private const int PerProgram = 10_000;
    private const int PerDocument = 200;

    [Test]
    public async Task A_document_decides_as_Cedar_does()
    {
        int wanted = Environment.GetEnvironmentVariable(Wanted) is { Length: > 0 } more ? int.Parse(more, CultureInfo.InvariantCulture) : Environment.GetEnvironmentVariable("CI") == "true" ? UnderCI : InEveryRun;
        int permits = 0, forbidden = 0, compared = 0;
        for (int seed = 0; compared < wanted; seed++)
        {
            var asked = new JsonArray();
            var decided = new List<string[]>();
            var random = new CedarRules(seed);
            while (decided.Count * PerDocument < Math.Min(PerProgram, wanted - compared))
            {
                (string ours, JsonObject cedars) = random.Document();
                if (Compiled(ours) is not { } policy)
                    continue;
                (AccessRequest Ours, JsonObject Cedars)[] requests = [.. Enumerable.Range(0, PerDocument).Select(_ => random.Request())];
                asked.Add(new JsonObject { ["policies"] = cedars, ["requests"] = new JsonArray([.. requests.Select(request => request.Cedars)]) });
                decided.Add([.. await Task.WhenAll(requests.Select(async request => Told(await policy.DecideAsync(request.Ours))))]);
            }
            await using NodeProgram node = await NodeProgram.StartAsync("@cedar-policy/cedar-wasm", ["cedar.mjs"], asked.ToJsonString());
            string[][] answers = [.. JsonNode.Parse(await node.RunToEndAsync())!.AsArray().Select(document => document!.AsArray().Select(answer => ToldAsOurs(answer!.GetValue<string>())).ToArray())];

            for (int document = 0; document < decided.Count; document++)
                Assert.That(decided[document], Is.EqualTo(answers[document]), $"seed {seed}, document {document}: {asked[document]!["policies"]}");
            string[] all = [.. decided.SelectMany(one => one)];
            permits += all.Count(one => one.StartsWith("allow", StringComparison.Ordinal));
            forbidden += all.Count(one => one.StartsWith("deny r", StringComparison.Ordinal));
            compared += all.Length;
        }
        TestContext.Out.WriteLine($"{compared} requests: {permits} permitted, {forbidden} forbidden, {compared - permits - forbidden} permitted by none");
        Assert.That(Math.Min(permits, Math.Min(forbidden, compared - permits - forbidden)), Is.GreaterThan(compared / 50), "few of a kind would prove little");
    }

    // A permit that a forbid always covers is fine with Cedar, and a contradiction here.
    private static PolicyDocument? Compiled(string document)
    {
        try
        {
            return PolicyDocument.Parse(document);
        }
        catch (TokenExchangeException contradiction) when (contradiction.Message.Contains("permits nothing: the forbid", StringComparison.Ordinal))
        {
            return null;
        }
    }

    private static string Told(AccessDecision decision) => decision.IsPermitted ? $"allow {decision.Rule}" : decision.Rule == "default-deny" ? "deny" : $"deny {decision.Rule}";

    // Of several forbids we name the first.
    private static string ToldAsOurs(string answer) => answer.StartsWith("deny", StringComparison.Ordinal) ? answer.Split(", ")[0] : answer;
}
