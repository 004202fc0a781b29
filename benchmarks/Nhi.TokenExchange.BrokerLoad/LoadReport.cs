using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Nhi.TokenExchange;

namespace BrokerLoad;

/// <summary>What one run measured, and of what: as a page for people and as JSON for programs.</summary>
internal sealed record LoadReport(int Clients, TimeSpan Time, Load.Result Broker, Load.Result Bare, int Grants, int IssuerCalls, IReadOnlyList<Attack> Attacks)
{
    /// <summary>No error, no more calls at the issuer than there are grants that differ, and no attack served.</summary>
    public bool IsGood => Faults.Count == 0;

    private IReadOnlyList<string> Faults =>
    [
        .. Broker.Errors + Bare.Errors > 0 ? ["requests of clients failed"] : Array.Empty<string>(),
        .. IssuerCalls > Grants ? ["the issuer was called more often than there are grants that differ"] : Array.Empty<string>(),
        .. Attacks.Where(attack => attack.Served > 0).Select(attack => FormattableString.Invariant($"{attack.Name} was SERVED, {attack.Served} times")),
        .. Attacks.Where(attack => attack.Served == 0 && !attack.IsRefused).Select(attack => $"{attack.Name} was not refused by what it is for"),
    ];

    private static string KestrelVersion => typeof(Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Writes both beside each other.</summary>
    /// <param name="path">Of the page; the JSON has its name with <c>.json</c>.</param>
    public void Write(string path)
    {
        File.WriteAllText(path, ToMarkdown());
        File.WriteAllText(Path.ChangeExtension(path, ".json"), ToJson().ToJsonString(new() { WriteIndented = true }) + "\n");
    }

    public string ToMarkdown()
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"# The broker under load\n\n{Clients} clients with tokens of their own ask one broker on 127.0.0.1 for {Time.TotalSeconds:0} s as fast as they are answered, and then as many ask a bare Kestrel that reads the same form and answers as many bytes. One process: the clients' work and, of the broker, the issuer's is in both figures.\n\n");
        page.Append("| | requests | errors | a second | p50 ms | p99 ms |\n|---|--:|--:|--:|--:|--:|\n");
        page.Append(CultureInfo.InvariantCulture, $"| broker | {Broker} |\n| bare Kestrel | {Bare} |\n| broker / bare | | | {Broker.PerSecond / Bare.PerSecond:0.00} | {Broker.P50 / Bare.P50:0.00} | {Broker.P99 / Bare.P99:0.00} |\n\n");
        page.Append(CultureInfo.InvariantCulture, $"Grants that differ: {Grants}. Calls at the issuer: {IssuerCalls}.\n\n");
        page.Append("Beside the clients, while they ask the broker and not while they ask Kestrel:\n\n| attack | made | served | answered by |\n|---|--:|--:|---|\n");
        foreach (Attack attack in Attacks)
            page.Append(CultureInfo.InvariantCulture, $"| {attack.Name} | {attack.Made} | {attack.Served} | {string.Join(", ", attack.Answers.Select(one => FormattableString.Invariant($"{one.Answer}: {one.Times}")))} |\n");
        page.Append(IsGood ? "\nNo error, and no attack was served. A 429 is the limit of refusals, which came before the check that was tried.\n" : $"\nFAILED: {string.Join("; ", Faults)}.\n");
        page.Append("\nThe broker's limit of 100 requests a second of one client is lifted to 100,000: what is measured is the broker.\n");
        page.Append(CultureInfo.InvariantCulture, $"\n{TimeProvider.System.GetUtcNow():yyyy-MM-dd}, commit {Checkout.Commit()}; {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}, {RuntimeInformation.FrameworkDescription}, Kestrel {KestrelVersion}.\n");
        return page.ToString();
    }

    private JsonObject ToJson() => new()
    {
        ["clients"] = Clients, ["seconds"] = Time.TotalSeconds, ["broker"] = Of(Broker), ["bareKestrel"] = Of(Bare), ["grants"] = Grants, ["issuerCalls"] = IssuerCalls, ["good"] = IsGood,
        ["faults"] = new JsonArray([.. Faults.Select(one => (JsonNode)one)]),
        ["attacks"] = new JsonArray([.. Attacks.Select(Of)]),
        ["day"] = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), ["commit"] = Checkout.Commit(), ["processors"] = Environment.ProcessorCount, ["system"] = RuntimeInformation.OSDescription,
        ["architecture"] = RuntimeInformation.OSArchitecture.ToString(), ["runtime"] = RuntimeInformation.FrameworkDescription, ["kestrel"] = KestrelVersion,
    };

    private static JsonObject Of(Load.Result result) => new() { ["requests"] = result.Requests, ["errors"] = result.Errors, ["perSecond"] = Math.Round(result.PerSecond), ["p50Ms"] = Math.Round(result.P50, 2), ["p99Ms"] = Math.Round(result.P99, 2) };

    private static JsonNode Of(Attack attack) => new JsonObject
    {
        ["attack"] = attack.Name, ["made"] = attack.Made, ["served"] = attack.Served, ["answers"] = new JsonObject(attack.Answers.Select(one => KeyValuePair.Create(one.Answer, (JsonNode?)one.Times))),
    };
}
