using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Nhi.TokenExchange.Tests;

/// <summary>One kill of a job, and what its audit and the issuer's ledger said of each other then.</summary>
/// <param name="Seed">What the chance was made of.</param>
/// <param name="Part">What the job was doing.</param>
/// <param name="At">After how many of what the part counts.</param>
/// <param name="Forgets">Whether its disk lost what was not flushed.</param>
/// <param name="Files">How many files the chain has.</param>
/// <param name="Drafts">How many files had no name yet.</param>
/// <param name="IsTorn">Whether the last line has no end.</param>
/// <param name="Events">How many events hold.</param>
/// <param name="Issued">What the issuer issued.</param>
/// <param name="Alive">What of it lived when the job was dead.</param>
/// <param name="HandedOut">What the job said that it was handed.</param>
/// <param name="OpenIntents">Intents whose outcome is not recorded.</param>
/// <param name="Breaches">What must not be.</param>
internal sealed record AuditKill(
    int Seed, AuditKillPart Part, long At, bool Forgets, int Files, int Drafts, bool IsTorn, long Events, int Issued, int Alive, int HandedOut, int OpenIntents, IReadOnlyList<string> Breaches)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter() } };

    /// <summary>Writes the report for people, and beside it the one for programs.</summary>
    public static async Task WriteAsync(string file, int seed, IReadOnlyList<AuditKill> kills)
    {
        await File.WriteAllTextAsync(file, Report(seed, kills));
        await File.WriteAllTextAsync(Path.ChangeExtension(file, ".json"), JsonSerializer.Serialize(new { Seed = seed, Machine = ReportOrigin.Sentence(), Kills = kills }, Json) + "\n");
    }

    private static string Report(int seed, IReadOnlyList<AuditKill> kills)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# Killed audits\n\nWritten by `tests/long/audit-kills {kills.Count} {seed}`. Each job gets credentials of twenty-five targets at once and gives them back, its audit begins a new file at each mebibyte, and SIGKILL ends it. Then the files are held against the emulated issuer's ledger. ");
        text.Append(CultureInfo.InvariantCulture, $"Where the disk forgets, what was written and not flushed is not in the file.\n\n{ReportOrigin.Sentence()}\n\n");
        text.Append("| part | disk | kills | issued | handed out | alive at the kill | intents without an outcome | events | files | without a name yet | torn lines | breaches |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        foreach (IGrouping<(AuditKillPart Part, bool Forgets), AuditKill> part in kills.GroupBy(kill => (kill.Part, kill.Forgets)).OrderBy(part => part.Key))
            text.Append(Sum($"{part.Key.Part} | {(part.Key.Forgets ? "forgets" : "the machine's")}", [.. part]));
        text.Append(Sum("all | ", kills));
        foreach (AuditKill kill in kills.Where(kill => kill.Breaches.Count > 0))
            text.Append(CultureInfo.InvariantCulture, $"\nSeed {kill.Seed}, {kill.Part} after {kill.At}:\n\n{string.Concat(kill.Breaches.Select(breach => $"- {breach}\n"))}");
        return text.ToString();
    }

    private static string Sum(string name, IReadOnlyCollection<AuditKill> kills) => string.Create(CultureInfo.InvariantCulture,
        $"| {name} | {kills.Count} | {kills.Sum(kill => kill.Issued)} | {kills.Sum(kill => kill.HandedOut)} | {kills.Sum(kill => kill.Alive)} | {kills.Sum(kill => kill.OpenIntents)} | {kills.Sum(kill => kill.Events)} | {kills.Sum(kill => kill.Files)} | {kills.Sum(kill => kill.Drafts)} | {kills.Count(kill => kill.IsTorn)} | {kills.Sum(kill => kill.Breaches.Count)} |\n");
}
