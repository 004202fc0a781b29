namespace Nhi.TokenExchange.Soak;

/// <summary>A bug that is planted round the product's public seams, to see whether the checker finds it by the invariant that is meant for it.</summary>
/// <param name="Name">As the command line has it.</param>
/// <param name="Invariant">The number of the invariant that has to find it.</param>
/// <param name="What">What is wrong then.</param>
internal sealed record PlantedBug(string Name, int Invariant, string What)
{
    /// <summary>Wraps every exchanger.</summary>
    public Func<TokenExchanger<BearerToken>, Heard, TokenExchanger<BearerToken>>? Exchanger { get; private init; }

    /// <summary>Wraps every provider that callers hold.</summary>
    public Func<CredentialProvider<BearerToken>, CredentialProvider<BearerToken>>? Provider { get; private init; }

    /// <summary>Wraps what sends the requests of every client.</summary>
    public Func<HttpMessageHandler, HttpMessageHandler>? Sender { get; private init; }

    /// <summary>Wraps the audit sink.</summary>
    public Func<IAuditSink, IAuditSink>? Sink { get; private init; }

    /// <summary>Wraps every identity source; the text is a folder for temporary files.</summary>
    public Func<IWorkloadIdentitySource, string, IWorkloadIdentitySource>? Source { get; private init; }

    /// <summary>Wraps the clock.</summary>
    public Func<TimeProvider, TimeProvider>? Time { get; private init; }

    /// <summary>Wraps the policy.</summary>
    public Func<IAccessPolicy, IAccessPolicy>? Policy { get; private init; }

    /// <summary>Changes what a job's report says of its credentials.</summary>
    public Func<IReadOnlyList<LeaseOutcome>, IReadOnlyList<LeaseOutcome>>? Report { get; private init; }

    /// <summary>Whether a job of that name keeps a trail.</summary>
    public Func<string, bool>? KeepsTrail { get; private init; }

    /// <summary>Does something to the folder of the trails when all jobs are over.</summary>
    public Action<string>? Trail { get; private init; }

    public static IReadOnlyList<PlantedBug> All { get; } =
    [
        new("double-flight", 1, "each exchange is sent twice at once") { Exchanger = (inner, _) => new TwinExchanger(inner) },
        new("dead-credential", 2, "a provider keeps the first credential for ever") { Provider = inner => new KeepingProvider(inner) },
        new("after-the-end", 2, "a provider hands out after its job's end") { Provider = inner => new OutlivingProvider(inner) },
        new("sent-again", 2, "each request to the API has the credential of one fifteen before, whosever that was") { Sender = inner => new LaggingHandler(inner) },
        new("monotonic-alone", 2, "the wall clock stands still with the monotonic one") { Time = inner => new OneHand(inner, Hand.Monotonic) },
        new("wall-alone", 2, "the monotonic clock is set back with the wall clock") { Time = inner => new OneHand(inner, Hand.Wall) },
        new("issued-not-recorded", 3, "every other record of an issue is lost") { Sink = inner => new LossySink(inner) },
        new("recorded-late", 3, "a credential is handed out before its issue is recorded") { Sink = inner => new LateSink(inner) },
        new("intent-once", 3, "only the first intent of each target is recorded") { Sink = inner => new FirstIntentSink(inner) },
        new("hangs-up", 3, "an exchange is cut off while its answer is on its way, and made again") { Exchanger = (inner, _) => new HangingUpExchanger(inner) },
        new("answer-dropped", 3, "every other answer is thrown away, and the exchange said to have failed for want of one, three seconds later") { Exchanger = (inner, _) => new DroppingExchanger(inner) },
        new("denied-anyway", 3, "what the rules deny is permitted") { Policy = inner => new DeafPolicy(inner) },
        new("not-revoked", 4, "a revocation is said to have been done, and was not") { Exchanger = (inner, _) => new UnrevokingExchanger(inner) },
        new("left-out-alive", 4, "a job's report leaves out a credential that lives on") { Report = leases => LeftOut.OneOf(leases, LeaseEnd.CannotBeRevoked) },
        new("left-out-revoked", 4, "a job's report leaves out a credential that was revoked") { Report = leases => LeftOut.OneOf(leases, LeaseEnd.Revoked) },
        new("token-logged", 5, "a token is logged, in base64") { Exchanger = (inner, heard) => new LoggingExchanger(inner, heard) },
        new("proof-in-a-file", 5, "a proof is left in a temporary file, in UTF-16") { Source = (inner, folder) => new WritingSource(inner, folder) },
        new("line-changed", 6, "one character of one line of a trail is another afterwards") { Trail = TrailTampering.ChangeOneLine },
        new("trail-cut", 6, "the last lines of a trail are cut off afterwards") { Trail = TrailTampering.CutTheEnd },
        new("trail-removed", 6, "a whole trail is removed afterwards") { Trail = TrailTampering.RemoveOne },
        new("trail-left-out", 6, "every third job keeps no trail") { KeepsTrail = run => run[^1] % 3 != 0 },
        new("life-overstated", 6, "each credential is said to live ten minutes longer than it does") { Exchanger = (inner, _) => new OverstatingExchanger(inner) },
        new("fails-beside-a-credential", 7, "a call fails now and then though a valid credential is there") { Provider = inner => new MoodyProvider(inner) },
        new("dead-too-early", 7, "a credential that lives is called dead on arrival") { Exchanger = (inner, _) => new MorticianExchanger(inner, TimeSpan.Zero) },
        new("held-until-dead", 7, "an answer is kept until its credential is dead, which is then called dead on arrival") { Exchanger = (inner, _) => new MorticianExchanger(inner, TimeSpan.FromSeconds(3)) },
        new("retry-storm", 8, "each exchange is repeated ten times") { Exchanger = (inner, _) => new StormingExchanger(inner, 9) },
        new("asks-twice", 8, "each exchange is made once more") { Exchanger = (inner, _) => new StormingExchanger(inner, 1) },
        new("herd", 8, "after a failure nobody asks an issuer for a while, and then everybody at once, four times") { Exchanger = (inner, _) => new HerdingExchanger(inner) },
        new("lost-waiter", 9, "a call that has to wait is forgotten now and then") { Provider = inner => new ForgetfulProvider(inner) },
        new("exception-unobserved", 9, "every other exchange leaves a task behind that failed, and that nobody looks at") { Exchanger = (inner, _) => new LeavingExchanger(inner, LeftBehind.AFault) },
        new("thread-left", 9, "every other exchange leaves a thread behind") { Exchanger = (inner, _) => new LeavingExchanger(inner, LeftBehind.AThread) },
        new("handles-leaked", 10, "each proof leaves an open file behind") { Source = (inner, folder) => new LeakingSource(inner, folder) },
        new("memory-leaked", 10, "each exchange leaves memory behind") { Exchanger = (inner, _) => new HoardingExchanger(inner) },
        new("native-memory-leaked", 10, "each exchange leaves memory behind that the collector does not know of") { Exchanger = (inner, _) => new NativeHoardingExchanger(inner) },
        new("job-held", 10, "one provider of each job is held beyond its end") { Provider = inner => new HeldProvider(inner) },
        new("pool-blocked", 11, "an exchange leaves work in the pool that blocks its threads") { Exchanger = (inner, _) => new BlockingExchanger(inner) },
        new("crossed", 12, "a provider hands out another job's credential now and then") { Provider = inner => new CrossingProvider(inner) },
        new("ended-twice", 13, "each revocation is told of twice") { Sink = inner => new EchoingSink(inner) },
    ];

    public static PlantedBug? Named(string name) => All.SingleOrDefault(bug => bug.Name == name);
}
