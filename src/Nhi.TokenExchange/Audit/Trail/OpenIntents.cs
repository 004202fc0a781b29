using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Exchanges that were begun, and of which nothing says what came. Bounded: a trail may be anybody's work.</summary>
internal sealed class OpenIntents
{
    private const int MostKept = 10_000;
    private const int LongestTarget = 64;

    private readonly Dictionary<Guid, (string File, long Line, string Target)> _open = [];

    // By a session whose clock is behind: its chain is read first.
    private readonly HashSet<Guid> _answeredBefore = [];

    /// <summary>How many were not kept, so that nobody knows whether they have an outcome.</summary>
    public long LeftOut { get; private set; }

    public IReadOnlyList<AuditFinding> Findings =>
        [.. _open.Select(one => new AuditFinding(one.Value.File, one.Value.Line, string.Create(CultureInfo.InvariantCulture, $"says that an exchange for target '{one.Value.Target}' begins (flight {one.Key:D}), and nothing says what came of it")))];

    public void Add(AuditRecord record)
    {
        switch (record.Event.Kind)
        {
            case AuditEventKind.Exchanging when _answeredBefore.Contains(record.Event.FlightId):
                break;
            case AuditEventKind.Exchanging when _open.Count < MostKept || _open.ContainsKey(record.Event.FlightId):
                _open[record.Event.FlightId] = (record.File, record.Line, AuditText.Shown(record.Event.Target, LongestTarget));
                break;
            case AuditEventKind.Exchanging:
                LeftOut++;
                break;
            case AuditEventKind.Attested or AuditEventKind.Permitted or AuditEventKind.Denied or AuditEventKind.JobCutShort or AuditEventKind.CallerRefused:
                break;
            default:
                if (!_open.Remove(record.Event.FlightId) && record.Event.IsToldByAnotherSession && _answeredBefore.Count < MostKept)
                    _answeredBefore.Add(record.Event.FlightId);
                break;
        }
    }
}
