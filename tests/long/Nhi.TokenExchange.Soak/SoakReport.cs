using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Nhi.TokenExchange.Tests;

namespace Nhi.TokenExchange.Soak;

/// <summary>What a run came to: counts, with zeros where zeros belong, and what did not hold.</summary>
internal sealed class SoakReport
{
    private const int MostBreaches = 20;

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Converters = { new JsonStringEnumConverter() } };

    private readonly SoakOptions _options;
    private readonly IReadOnlyList<Chaos> _chaos;
    private readonly IReadOnlyList<string> _around;

    private SoakReport(SoakOptions options, IReadOnlyList<Chaos> chaos, IReadOnlyList<Breach> breaches, SoakSummary summary, IReadOnlyList<string> around)
    {
        _options = options;
        _chaos = chaos;
        Breaches = breaches;
        Summary = summary;
        _around = around;
    }

    public IReadOnlyList<Breach> Breaches { get; }

    public SoakSummary Summary { get; }

    public bool IsGood => Breaches.Count == 0;

    public static SoakReport Of(Evidence evidence)
    {
        Breach[] breaches = [.. SoakInvariant.All.SelectMany(invariant => invariant.Check(evidence))];
        Breach? first = breaches.FirstOrDefault(breach => breach.At is not null);
        return new SoakReport(evidence.Options, evidence.Chaos, breaches, SoakSummary.Of(evidence, breaches), first is null ? [] : Timeline.Around(evidence, first.At!.Value, first.Run));
    }

    public void WriteTo(string file)
    {
        File.WriteAllText(file, ToMarkdown());
        File.WriteAllText(Path.ChangeExtension(file, ".json"), JsonSerializer.Serialize(
            new
            {
                _options.Seed, _options.Seconds, _options.Jobs, Lives = $"{_options.ShortestLife}-{_options.LongestLife}", _options.Bug, Machine = Machine(),
                Summary, Faults = _chaos.Select(window => window.ToString()),
                Breached = Breaches.Select(breach => breach.Invariant).Distinct().Order(), Breaches = Breaches.GroupBy(breach => breach.Invariant).SelectMany(ofOne => ofOne.Take(MostBreaches)).Select(breach => breach.What), Around = _around,
            },
            Json));
    }

    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# Soak, {_options.Seconds} s, seed {_options.Seed}{(_options.Bug is { } bug ? $", planted bug {bug}" : "")}").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"{_options.Jobs} jobs at a time, {SoakTarget.All.Count} targets and 8 callers each; credentials are handed out for {_options.ShortestLife} to {_options.LongestLife} s. {Machine()}").AppendLine();
        if (_options.Bug is { } name && PlantedBug.Named(name) is { } planted)
            text.AppendLine(CultureInfo.InvariantCulture, $"Planted: {planted.What}. Invariant {planted.Invariant} has to find it.").AppendLine();
        text.AppendLine("| what | count |").AppendLine("|---|---:|");
        foreach ((string what, string count) in Summary.Rows())
            text.AppendLine(CultureInfo.InvariantCulture, $"| {what} | {count} |");
        text.AppendLine().AppendLine("| invariant | breaches |").AppendLine("|---|---:|");
        foreach (SoakInvariant invariant in SoakInvariant.All)
            text.AppendLine(CultureInfo.InvariantCulture, $"| {invariant.Number}. {invariant.Name} | {Breaches.Count(breach => breach.Invariant == invariant.Number)} |");
        if (_chaos.Count > 0)
            AppendFaults(text);
        if (!IsGood)
            AppendBreaches(text);
        return text.ToString();
    }

    private static string Machine() => ReportOrigin.Sentence();

    private void AppendFaults(StringBuilder text)
    {
        double share = _chaos.Sum(window => (window.End - window.At).TotalSeconds) / _options.Seconds;
        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{_chaos.Count} faults, {share:P0} of the time:").AppendLine();
        text.AppendLine("| fault | times | seconds |").AppendLine("|---|---:|---:|");
        foreach (IGrouping<string, Chaos> one in _chaos.GroupBy(window => $"{window.Fault.Id} at {window.Place}").OrderBy(one => one.Key, StringComparer.Ordinal))
            text.AppendLine(CultureInfo.InvariantCulture, $"| {one.Key} | {one.Count()} | {one.Sum(window => (window.End - window.At).TotalSeconds):0.0} |");
    }

    private void AppendBreaches(StringBuilder text)
    {
        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"## What did not hold (seed {_options.Seed})").AppendLine();
        foreach (Breach breach in Breaches.GroupBy(breach => breach.Invariant).SelectMany(ofOne => ofOne.Take(MostBreaches)))
            text.AppendLine(CultureInfo.InvariantCulture, $"- {breach.Invariant}: {breach.What}{(breach.Run is null ? "" : $", job {breach.Run}")}{(breach.At is { } at ? $", at {TimeSpan.FromTicks(at).TotalSeconds:0.000} s" : "")}");
        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{_around.Count} events around the first:").AppendLine().AppendLine("```text");
        foreach (string line in _around)
            text.AppendLine(line);
        text.AppendLine("```");
    }
}
