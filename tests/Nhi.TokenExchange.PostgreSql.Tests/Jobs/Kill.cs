using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange.Tests;

/// <summary>One kill, and what became of what the killed process held.</summary>
/// <param name="Seed">What the chance was made of.</param>
/// <param name="Part">In which part of the journal's life it was.</param>
/// <param name="At">After which line of the journals, or which credential.</param>
/// <param name="Step">What the journal's last line told then.</param>
/// <param name="Alive">Credentials that lived at the servers then.</param>
/// <param name="InJournal">What the recovery found in the journals: those, what was announced, and what had ended and was not written off.</param>
/// <param name="Revoked">What the recovery revoked.</param>
/// <param name="InTheAir">Exchanges whose answers nobody got.</param>
/// <param name="AskedTwice">What was asked for by the killed one, which could not write that down any more, and by the next.</param>
/// <param name="Left">Logins and leases that the servers knew afterwards.</param>
/// <param name="TokensLeft">Vault's own logins whose answer nobody got: they die by themselves.</param>
internal sealed record Kill(int Seed, KillPart Part, int At, string Step, int Alive, int InJournal, int Revoked, int InTheAir, int AskedTwice, int Left, int TokensLeft)
{
    private const string Numbers = "alive at the servers | in the journal | revoked by the next start | in the air | asked twice | left | logins that nobody got";

    public static string Report(IReadOnlyList<Kill> kills)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# Killed jobs\n\nWritten by `tests/long/kills {kills.Count}`. Each job has twenty-five logins of a real PostgreSQL and twenty-five secrets of the emulated Vault, is killed by SIGKILL in one part of its journal's life, and the next one recovers.\n\n{ReportOrigin.Sentence()}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"| part | kills | {Numbers} |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        foreach (IGrouping<KillPart, Kill> part in kills.GroupBy(kill => kill.Part).OrderBy(part => part.Key))
            text.Append(Sum(part.Key.ToString(), [.. part]));
        text.Append(Sum("all", kills)).Append("\n## Where they hit\n\nThe last line of the journal when its process was dead.\n\n| part | last line | kills |\n|---|---|--:|\n");
        foreach (IGrouping<(KillPart Part, string Step), Kill> place in kills.GroupBy(kill => (kill.Part, kill.Step)).OrderBy(place => place.Key))
            text.Append(CultureInfo.InvariantCulture, $"| {place.Key.Part} | {place.Key.Step} | {place.Count()} |\n");
        text.Append(CultureInfo.InvariantCulture, $"\n## Each\n\n| seed | part | killed after | last line | {Numbers} |\n|--:|---|--:|---|--:|--:|--:|--:|--:|--:|--:|\n");
        foreach (Kill kill in kills)
            text.Append(CultureInfo.InvariantCulture, $"| {kill.Seed} | {kill.Part} | {kill.At} | {kill.Step} | {kill.Alive} | {kill.InJournal} | {kill.Revoked} | {kill.InTheAir} | {kill.AskedTwice} | {kill.Left} | {kill.TokensLeft} |\n");
        return text.ToString();
    }

    private static string Sum(string name, IReadOnlyCollection<Kill> kills) => string.Create(CultureInfo.InvariantCulture,
        $"| {name} | {kills.Count} | {kills.Sum(kill => kill.Alive)} | {kills.Sum(kill => kill.InJournal)} | {kills.Sum(kill => kill.Revoked)} | {kills.Sum(kill => kill.InTheAir)} | {kills.Sum(kill => kill.AskedTwice)} | {kills.Sum(kill => kill.Left)} | {kills.Sum(kill => kill.TokensLeft)} |\n");
}
