using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Nhi.TokenExchange;

namespace BrokerLoad;

/// <summary>What one run measured, and of what: as a page for people and as JSON for programs.</summary>
internal sealed record LoadReport(int Clients, TimeSpan Time, Load.Result Broker, Load.Result Bare, int Grants, int IssuerCalls, IReadOnlyList<string> Attacks)
{
    /// <summary>No error, and no more calls at the issuer than there are grants that differ.</summary>
    public bool IsGood => Broker.Errors == 0 && Bare.Errors == 0 && IssuerCalls <= Grants;

    private static string Commit => typeof(JobSession).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, { Length: >= 12 } hash] ? hash[..12] : "unknown";

    private static string KestrelVersion => typeof(Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Writes both beside each other.</summary>
    /// <param name="path">Of the page; the JSON has its name with <c>.json</c>.</param>
    public void Write(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        File.WriteAllText(path, ToMarkdown());
        File.WriteAllText(Path.ChangeExtension(path, ".json"), ToJson().ToJsonString(new() { WriteIndented = true }) + "\n");
    }

    public string ToMarkdown()
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"# The broker under load\n\n{Clients} clients with tokens of their own ask one broker on 127.0.0.1 for {Time.TotalSeconds:0} s as fast as they are answered, and then as many ask a bare Kestrel that reads the same form and answers as many bytes. One process: the clients' work and, of the broker, the issuer's is in both figures.\n\n");
        page.Append("| | requests | errors | a second | p50 ms | p99 ms |\n|---|--:|--:|--:|--:|--:|\n");
        page.Append(CultureInfo.InvariantCulture, $"| broker | {Broker} |\n| bare Kestrel | {Bare} |\n| broker / bare | | | {Broker.PerSecond / Bare.PerSecond:0.00} | {Broker.P50 / Bare.P50:0.00} | {Broker.P99 / Bare.P99:0.00} |\n\n");
        page.Append(CultureInfo.InvariantCulture, $"Grants that differ: {Grants}. Calls at the issuer: {IssuerCalls}. {(IsGood ? "No error." : "NOT as it should be.")}\n");
        if (Attacks.Count > 0)
            page.Append(CultureInfo.InvariantCulture, $"\nMeanwhile: {string.Join("; ", Attacks)}.\n");
        page.Append(CultureInfo.InvariantCulture, $"\n{TimeProvider.System.GetUtcNow():yyyy-MM-dd}, commit {Commit}; {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}, {RuntimeInformation.FrameworkDescription}, Kestrel {KestrelVersion}.\n");
        return page.ToString();
    }

    private JsonObject ToJson() => new()
    {
        ["clients"] = Clients, ["seconds"] = Time.TotalSeconds, ["broker"] = Of(Broker), ["bareKestrel"] = Of(Bare), ["grants"] = Grants, ["issuerCalls"] = IssuerCalls, ["good"] = IsGood,
        ["attacks"] = new JsonArray([.. Attacks.Select(one => (JsonNode)one)]),
        ["day"] = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), ["commit"] = Commit, ["processors"] = Environment.ProcessorCount, ["system"] = RuntimeInformation.OSDescription,
        ["architecture"] = RuntimeInformation.OSArchitecture.ToString(), ["runtime"] = RuntimeInformation.FrameworkDescription, ["kestrel"] = KestrelVersion,
    };

    private static JsonObject Of(Load.Result result) => new() { ["requests"] = result.Requests, ["errors"] = result.Errors, ["perSecond"] = Math.Round(result.PerSecond), ["p50Ms"] = Math.Round(result.P50, 2), ["p99Ms"] = Math.Round(result.P99, 2) };
}
