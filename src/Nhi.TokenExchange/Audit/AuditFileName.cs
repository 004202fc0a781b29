using System.Globalization;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange;

/// <summary>What the name of a file of an audit or of a spool says: see <see cref="AuditFolder"/>.</summary>
/// <param name="Chain">What the names of all files of its chain begin with.</param>
/// <param name="ProcessId">Who writes it.</param>
/// <param name="Started">When the chain began, as the name has it.</param>
/// <param name="Part">Which part it is.</param>
internal sealed partial record AuditFileName(string Chain, int ProcessId, string Started, int Part)
{
    /// <summary>An instant, as names have it.</summary>
    public const string InstantFormat = "yyyyMMdd'T'HHmmssfff";

    /// <summary>Reads the name of a path; null: it is none of ours.</summary>
    public static AuditFileName? Of(string path)
    {
        Match name = Pattern().Match(Path.GetFileName(path));
        if (!name.Success)
            return null;
        return new AuditFileName(name.Groups["chain"].Value, Number("pid"), name.Groups["started"].Value, name.Groups["part"].Success ? Number("part") : 1);

        int Number(string group) => int.Parse(name.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"^(?<chain>.+-(?<pid>[0-9]{1,9})-(?<started>[0-9]{8}T[0-9]{9}))(\.(?<part>[0-9]{1,9})(\.[0-9]{1,9})?)?\.(audit|spool)\.jsonl$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: Timeout.Infinite)]   // a name is short; a machine that stands still must not count
    private static partial Regex Pattern();
}
