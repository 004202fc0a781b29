namespace Nhi.TokenExchange.Soak;

/// <summary>All that is known of a run: the issuers' ledger, and what the process under test wrote down.</summary>
internal sealed class Evidence
{
    private static readonly long Waking = TimeSpan.FromSeconds(1).Ticks;

    private readonly SoakTime _time;

    private Evidence(SoakTime time) => _time = time;

    public required SoakOptions Options { get; init; }

    public required string Folder { get; init; }

    public required EmulatorCanaries Canaries { get; init; }

    public required IReadOnlyList<Chaos> Chaos { get; init; }

    public required IReadOnlyList<Issue> Issues { get; init; }

    public required IReadOnlyDictionary<string, Issue> IssueOf { get; init; }

    public required IReadOnlyList<LedgerOverlap> Overlaps { get; init; }

    public required IReadOnlyList<LedgerUse> Uses { get; init; }

    /// <summary>Requests at all token endpoints.</summary>
    public required int TokenRequests { get; init; }

    public required IReadOnlyList<AuditRecord> Audit { get; init; }

    /// <summary>All events, those that this sink refused by plan, too: what was told, whoever took it.</summary>
    public required IReadOnlyList<AuditRecord> Told { get; init; }

    /// <summary>When the last flight of each job took off.</summary>
    public required IReadOnlyDictionary<string, long> TakeOffs { get; init; }

    /// <summary>Ends that the audit did not take in time, as the log says, and how often: what, of which target and which flight. They are told again, and it may have taken the first, too.</summary>
    public required IReadOnlyDictionary<string, int> NotTakenInTime { get; init; }

    public required Trail Trail { get; init; }

    public required IReadOnlyList<HandOutRecord> HandOuts { get; init; }

    public required IReadOnlyList<FailureRecord> Failures { get; init; }

    public required IReadOnlyList<LateRecord> Late { get; init; }

    /// <summary>The calls to the API, by job and target.</summary>
    public required ILookup<(string Run, string Target), UseRecord> UseCalls { get; init; }

    public required IReadOnlyList<StallRecord> Stalls { get; init; }

    public required IReadOnlyList<PoolWaitRecord> PoolWaits { get; init; }

    public required IReadOnlyDictionary<string, JobRecord> Jobs { get; init; }

    public required IReadOnlyList<PolicyRecord> Policies { get; init; }

    public required IReadOnlyList<ResourceRecord> Resources { get; init; }

    public required ChildSummary Summary { get; init; }

    public static Evidence Read(SoakOptions options, SoakTime time, IdentityEmulator emulator, string folder, IReadOnlyList<Chaos> chaos)
    {
        Dictionary<string, (string Run, SoakTarget Target)> clients = JobPlan.AllRuns(options)
            .SelectMany(run => SoakTarget.All.Where(target => target.Kind != ExchangeKind.VaultSecret).Select(target => (run, target)))
            .ToDictionary(key => JobPlan.ClientOf(options, key.run, key.target), key => (key.run, key.target), StringComparer.Ordinal);
        Issue[] issues = [.. emulator.Ledger.Issued.Select(issue => Issue.Of(issue, clients[issue.ClientId!], time))];
        AuditRecord[] audit = [.. RecordFile.Read<AuditRecord>(In("audit.jsonl")).OrderBy(record => record.At)];
        return new Evidence(time)
        {
            Options = options,
            Folder = folder,
            Canaries = emulator.Canaries,
            Chaos = chaos,
            Issues = issues,
            IssueOf = issues.ToDictionary(issue => issue.Fingerprint, StringComparer.Ordinal),
            Overlaps = emulator.Ledger.Overlaps,
            Uses = emulator.Ledger.Uses,
            TokenRequests = new[] { EmulatorEndpoint.AuthorizationToken, EmulatorEndpoint.DatabricksToken, EmulatorEndpoint.EntraToken }.Sum(emulator.Ledger.Requests.Of),
            Audit = audit,
            Told = [.. audit.Concat(RecordFile.Read<AuditRecord>(In("audit-refused.jsonl"))).OrderBy(record => record.At)],
            TakeOffs = audit.Where(record => record.Kind == AuditEventKind.Attested).GroupBy(record => record.Run).ToDictionary(run => run.Key, run => run.Max(record => record.At), StringComparer.Ordinal),
            NotTakenInTime = NothingTwice.NotTakenInTime(In("log.txt")),
            Trail = Trail.Read(In("trail"), In("log.txt")),
            HandOuts = RecordFile.Read<HandOutRecord>(In("handouts.jsonl")),
            Failures = RecordFile.Read<FailureRecord>(In("failures.jsonl")),
            UseCalls = RecordFile.Read<UseRecord>(In("uses.jsonl")).ToLookup(use => (use.Run, use.Target)),
            Late = RecordFile.Read<LateRecord>(In("late.jsonl")),
            Stalls = RecordFile.Read<StallRecord>(In("stalls.jsonl")),
            PoolWaits = RecordFile.Read<PoolWaitRecord>(In("pool-waits.jsonl")),
            Jobs = RecordFile.Read<JobRecord>(In("jobs.jsonl")).ToDictionary(job => job.Run, StringComparer.Ordinal),
            Policies = RecordFile.Read<PolicyRecord>(In("policies.jsonl")),
            Resources = RecordFile.Read<ResourceRecord>(In("resources.jsonl")),
            Summary = RecordFile.Read<ChildSummary>(In("summary.jsonl"))[0],
        };

        string In(string file) => Path.Combine(folder, file);
    }

    /// <summary>Writes what the issuers know beside what the process under test wrote down.</summary>
    public void WriteLedger()
    {
        using var ledger = new RecordFile(Path.Combine(Folder, "ledger.jsonl"));
        foreach (Issue issue in Issues)
            ledger.Add(new { issue.Run, Target = issue.Target.Name, issue.Fingerprint, issue.Scope, issue.IssuedAt, issue.DeliveredAt, issue.EndsAt, issue.Renewals, issue.RevocationsAsked, issue.RevokedAt });
    }

    public long At(DateTimeOffset instant) => _time.Of(instant).Ticks;

    /// <summary>How long the machine stood still within that time.</summary>
    public long StalledWithin(long from, long to) => Stalls.Sum(stall => Math.Max(0, Math.Min(stall.To, to) - Math.Max(stall.From, from)));

    /// <summary>How long, within that time, the machine stood still, or work waited for a thread of the pool right after it had: then much is to be done at once.</summary>
    public long HeldUpWithin(long from, long to)
    {
        long all = 0;
        foreach ((long begin, long end) in Stalls.Select(stall => (stall.From, stall.To)).Concat(PoolWaits.Where(IsOfWaking).Select(wait => (wait.From, wait.To))).Where(one => one.To > from && one.From < to).Order())
        {
            from = Math.Max(from, begin);
            long until = Math.Min(to, end);
            all += Math.Max(0, until - from);
            from = Math.Max(from, until);
        }

        return all;
    }

    private bool IsOfWaking(PoolWaitRecord wait) => Stalls.Any(stall => stall.To >= wait.From - Waking && stall.From <= wait.To);
}

/// <summary>One token of the ledger, with the job and target it is for. Times are ticks since the run's start.</summary>
internal sealed record Issue(string Fingerprint, string Run, SoakTarget Target, string Scope, long IssuedAt, long EndsAt, int Renewals, int RevocationsAsked, long? RevokedAt, long? DeliveredAt)
{
    /// <summary>From here on nobody may be handed it any more.</summary>
    public long UnusableFrom => EndsAt - Target.UsableMargin.Ticks;

    public static Issue Of(LedgerIssue issue, (string Run, SoakTarget Target) key, SoakTime time) => new(
        // What Vault makes with a login is its role's, too.
        issue.Fingerprint, key.Run, issue.Scope == JobPlan.VaultPathOf(key.Run) ? SoakTarget.All.Single(target => target.Kind == ExchangeKind.VaultSecret) : key.Target, issue.Scope, time.Of(issue.IssuedAt).Ticks, time.Of(issue.EndsAt).Ticks, issue.Renewals, issue.RevocationsAsked,
        issue.RevokedAt is { } revoked ? time.Of(revoked).Ticks : null, issue.DeliveredAt is { } delivered ? time.Of(delivered).Ticks : null);
}
