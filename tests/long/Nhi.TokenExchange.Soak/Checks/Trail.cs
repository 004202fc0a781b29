using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Soak;

/// <summary>What the jobs' trails say, verified with the anchors that the log has.</summary>
internal sealed partial class Trail
{
    private Trail(AuditTrail verified, IReadOnlyList<AuditRecord> events) => (Verified, Events) = (verified, events);

    public AuditTrail Verified { get; }

    /// <summary>All events, as the other sink would have noted them; without an instant.</summary>
    public IReadOnlyList<AuditRecord> Events { get; }

    public static Trail Read(string folder, string log)
    {
        string[] anchors = [.. File.ReadLines(log).SelectMany(line => Anchor().Matches(line)).Select(anchor => anchor.Value).Distinct()];
        var events = new List<AuditRecord>();
        return new Trail(AuditTrail.Verify(folder, anchors, record => events.Add(AuditRecord.Of(record.Event, 0))), events);
    }

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f-]{27}:[0-9]+:[0-9a-f]{64}")]
    private static partial Regex Anchor();
}
