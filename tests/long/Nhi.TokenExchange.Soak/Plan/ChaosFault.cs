namespace Nhi.TokenExchange.Soak;

/// <summary>One thing that goes wrong for a while.</summary>
/// <param name="Id">Its name in the plan and in reports.</param>
/// <param name="Places">Where it can happen; one of them is drawn.</param>
/// <param name="Codes">The error codes that a caller may get of it.</param>
internal sealed record ChaosFault(string Id, IReadOnlyList<ChaosPlace> Places, params string[] Codes)
{
    private static readonly ChaosPlace[] TokenEndpoints = [ChaosPlace.Authorization, ChaosPlace.Databricks, ChaosPlace.Entra];

    // Few faults are for all four; Vault has as many of these as the others together, for it has none of its own.
    private static readonly ChaosPlace[] AllEndpoints = [.. TokenEndpoints, ChaosPlace.Vault, ChaosPlace.Vault, ChaosPlace.Vault];

    /// <summary>Whether the whole process stands still.</summary>
    public bool StopsTheProcess => this == Stopped || this == Suspend;

    /// <summary>What the emulator does to the requests; null where the fault is not the issuer's.</summary>
    public Func<Fault>? AtIssuer { get; private init; }

    /// <summary>The share of the requests that meet it.</summary>
    public double Share { get; private init; } = 1;

    /// <summary>How far the wall clock of the process under test is off.</summary>
    public TimeSpan Jump { get; private init; }

    /// <summary>Whether tokens are made that nobody gets.</summary>
    public bool LosesAnswers { get; private init; }

    /// <summary>The audit takes nothing, at once.</summary>
    public static ChaosFault AuditFails { get; } = new("audit fails", [ChaosPlace.Audit], "NHI6001");

    /// <summary>The audit takes nothing, and says so long after nobody waits for it any more.</summary>
    public static ChaosFault AuditStalls { get; } = new("audit stalls", [ChaosPlace.Audit], "NHI6001");

    /// <summary>The whole process under test stands still, as under a debugger or a frozen container. A record that was being written has taken longer than anybody waits for it.</summary>
    public static ChaosFault Stopped { get; } = new("process stopped", [ChaosPlace.Process], "NHI6001");

    /// <summary>The machine sleeps: the process stands still, and its monotonic clock does not count the time.</summary>
    public static ChaosFault Suspend { get; } = new("suspend", [ChaosPlace.Clock], "NHI6001");

    public static ChaosFault NoLife { get; } = new("no expires_in", TokenEndpoints, "NHI4004") { AtIssuer = () => Fault.Without("expires_in") };

    public static ChaosFault CancellationStorm { get; } = new("cancellation storm", [ChaosPlace.Callers]);

    public static ChaosFault PolicyDenies { get; } = new("policy denies", [ChaosPlace.Policy], "NHI3001");

    public static ChaosFault HalfWritten { get; } = new("token file half written", [ChaosPlace.Files], ProofCodes);

    public static ChaosFault Missing { get; } = new("token file missing", [ChaosPlace.Files], ProofCodes);

    private static string[] ProofCodes => ["NHI2001", "NHI2002", "NHI2003"];

    /// <summary>All there are. A lost answer may have used up a proof that is taken once, so an issuer may refuse it (NHI4011) where one was lost.</summary>
    public static IReadOnlyList<ChaosFault> All { get; } =
    [
        new("503", AllEndpoints, "NHI4002") { AtIssuer = () => Fault.Status(503) },
        new("500", AllEndpoints, "NHI4001", "NHI4002") { AtIssuer = () => Fault.Status(500), Share = 0.7 },
        new("429", AllEndpoints, "NHI4003") { AtIssuer = () => Fault.Status(429, ("Retry-After", "1")) },
        new("slow", AllEndpoints, "NHI4009") { AtIssuer = () => Fault.Delay(TimeSpan.FromSeconds(1.5)) },
        new("reset", AllEndpoints, "NHI4002") { AtIssuer = Fault.Reset },
        new("answer lost", TokenEndpoints, "NHI4002", "NHI4011", "NHI4001") { AtIssuer = Fault.ResetAfterWork, Share = 0.5, LosesAnswers = true },
        new("answer cut", TokenEndpoints, "NHI4002", "NHI4011", "NHI4001") { AtIssuer = () => Fault.Truncate(60), Share = 0.5, LosesAnswers = true },
        new("garbage", TokenEndpoints, "NHI4004") { AtIssuer = Fault.Garbage },
        new("sign-in page", TokenEndpoints, "NHI4004") { AtIssuer = Fault.Html },
        new("wider scope", [ChaosPlace.Authorization, ChaosPlace.Databricks], "NHI5001") { AtIssuer = () => Fault.WiderScope("dataset:customers") },
        new("expired answer", TokenEndpoints, "NHI5003", "NHI4004") { AtIssuer = () => Fault.ExpiresIn("1") },
        NoLife,
        new("discovery fails", [ChaosPlace.Discovery], "NHI4002", "NHI4007") { AtIssuer = () => Fault.Status(503) },
        new("proof endpoint fails", [ChaosPlace.ProofRequest], ProofCodes) { AtIssuer = () => Fault.Status(503) },
        new("proof endpoint says garbage", [ChaosPlace.ProofRequest], ProofCodes) { AtIssuer = Fault.Garbage },
        new("revocation fails", [ChaosPlace.Revocation], "NHI4002") { AtIssuer = () => Fault.Status(503) },
        new("revocation throttled", [ChaosPlace.Revocation], "NHI4003") { AtIssuer = () => Fault.Status(429, ("Retry-After", "1")) },
        new("revocation not found", [ChaosPlace.Revocation], "NHI4001") { AtIssuer = () => Fault.Error("not_found", 404), Share = 0.5 },
        new("revocation slow", [ChaosPlace.Revocation], "NHI4009") { AtIssuer = () => Fault.Delay(TimeSpan.FromSeconds(1.5)) },
        new("revocation reset", [ChaosPlace.Revocation], "NHI4002") { AtIssuer = Fault.Reset, Share = 0.7 },
        HalfWritten,
        Missing,
        CancellationStorm,
        PolicyDenies,
        new("clock ahead", [ChaosPlace.Clock], "NHI5003", "NHI2003") { Jump = TimeSpan.FromSeconds(20) },
        new("clock back", [ChaosPlace.Clock], "NHI5003", "NHI2004") { Jump = TimeSpan.FromSeconds(-20) },
        Suspend,
        AuditFails,
        AuditStalls,
        Stopped,
    ];
}

/// <summary>Where a fault is.</summary>
internal enum ChaosPlace
{
    Authorization,
    Databricks,
    Entra,
    Vault,
    Discovery,
    ProofRequest,
    Revocation,
    Files,
    Callers,
    Policy,
    Clock,
    Audit,
    Process,
}
