namespace Nhi.TokenExchange.Soak;

/// <summary>The flights of a run, as the audit tells of them, and which of them an issue belongs to.</summary>
internal sealed class Flights
{
    private static readonly long Tolerance = TimeSpan.FromMilliseconds(20).Ticks;

    // A request that its caller gave up is seen by the issuer a little later.
    private static readonly long HangingUp = TimeSpan.FromSeconds(2).Ticks;

    private const string NoAnswer = "NHI4002";

    // What a flight fails with whose answer was on its way when it was given up.
    private static readonly string[] GivenUpCodes = [NoAnswer, "NHI4009", "NHI7001", "NHI7002", "NHI7003"];

    private readonly Dictionary<string, Flight> _ofCredential = new(StringComparer.Ordinal);
    private readonly ILookup<(string Run, string Target), Flight> _ofKey;

    public Flights(Evidence evidence)
    {
        Dictionary<(Guid, string), Flight> all = evidence.Told.Where(record => record.Flight != Guid.Empty)
            .GroupBy(record => (record.Flight, record.Target)).ToDictionary(one => one.Key, one => Flight.Of([.. one]));
        _ofKey = all.Values.ToLookup(flight => (flight.Run, flight.Target));
        foreach (AuditRecord record in evidence.Told.Where(record => record.Fingerprint is not null))
            _ofCredential.TryAdd(record.Fingerprint!, all[(record.Flight, record.Target)]);
    }

    /// <summary>The flight that brought it; null if the audit does not know it.</summary>
    public Flight? Of(Issue issue) => _ofCredential.GetValueOrDefault(issue.Fingerprint);

    /// <summary>Whether that flight had said what it was about to do.</summary>
    public static bool HadSaidSo(Flight flight, Issue issue) => flight.Asked.Any(asked => asked <= issue.IssuedAt + Tolerance);

    /// <summary>The flights of its key that were in the air when it was issued, or had been given up in that instant.</summary>
    public IEnumerable<Flight> InTheAir(Issue issue) => _ofKey[(issue.Run, issue.Target.Name)]
        .Where(flight => HadSaidSo(flight, issue) && (flight.Ended is null || flight.Ended >= issue.IssuedAt - HangingUp));

    /// <summary>Whether the audit tells of a flight that was given up while its answer was on its way. One that says that no answer came is none, if the answer was delivered.</summary>
    public bool WasGivenUp(Issue issue) => InTheAir(issue).Any(flight => GivenUpCodes.Contains(flight.Code) && (issue.DeliveredAt is null || flight.Code != NoAnswer));
}

/// <summary>One exchange: when it said that it would ask, and what came of it.</summary>
/// <param name="Run">The job.</param>
/// <param name="Target">The target.</param>
/// <param name="Asked">When its intents were recorded.</param>
/// <param name="Ended">When its outcome was; null if none was.</param>
/// <param name="Code">What it failed with; null if it did not.</param>
internal sealed record Flight(string Run, string Target, IReadOnlyList<long> Asked, long? Ended, string? Code)
{
    public static Flight Of(AuditRecord[] records)
    {
        AuditRecord? outcome = records.FirstOrDefault(record => record.Kind is AuditEventKind.Issued or AuditEventKind.Refreshed or AuditEventKind.Renewed or AuditEventKind.Failed or AuditEventKind.Denied);
        return new Flight(records[0].Run, records[0].Target, [.. records.Where(record => record.Kind == AuditEventKind.Exchanging).Select(record => record.At)], outcome?.At, outcome?.Code);
    }
}
