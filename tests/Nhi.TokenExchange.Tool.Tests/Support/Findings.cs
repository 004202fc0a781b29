using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>What doctor wrote as JSON.</summary>
internal sealed record Findings(ToolRun Run, JsonObject Report)
{
    public static Findings Of(ToolRun run)
    {
        Assert.That(run.Output, Does.StartWith("{"), run.All);
        Assert.That(run.All, Does.Not.Contain("eyJ"), "a JWT, of which all proofs here are");
        return new Findings(run, (JsonObject)JsonNode.Parse(run.Output)!);
    }

    public IEnumerable<JsonObject> Stages => Report["job"]!.AsArray().Concat(Report["targets"]!.AsArray().SelectMany(target => target!["stages"]!.AsArray())).Select(stage => (JsonObject)stage!);

    public IEnumerable<JsonObject> Failed => Stages.Where(stage => (string)stage["verdict"]! == "failed");

    /// <summary>One stage failed and no other, and doctor says all of this about it.</summary>
    public void AssertNames(string stage, string code, int exitCode, params string[] said)
    {
        Assert.That(Failed.Select(one => ((string)one["stage"]!, (string?)one["code"])), Is.EqualTo(new[] { (stage, code) }), Run.All);
        Assert.That(Run.ExitCode, Is.EqualTo(exitCode), Run.All);
        string all = $"{Failed.Single()["said"]} {Failed.Single()["remedy"]}";
        foreach (string one in said)
            Assert.That(all, Does.Contain(one));
    }
}
