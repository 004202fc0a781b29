using System.Text.Json;

[assembly: LevelOfParallelism(4)]   // a soak of seconds waits more than it works

namespace Nhi.TokenExchange;

/// <summary>The short form of the soak, with a seed that stays, and the bugs that its checker has to find.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class SoakTests
{
    // A run waits for the end of every job: on a machine that is slow that takes long, and proves the same.
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(8);

    private static readonly string Program = typeof(SoakTests).Assembly.Location
        .Replace($"{Path.DirectorySeparatorChar}Nhi.TokenExchange.Interop.Tests{Path.DirectorySeparatorChar}", $"{Path.DirectorySeparatorChar}long{Path.DirectorySeparatorChar}Nhi.TokenExchange.Soak{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
        .Replace("Nhi.TokenExchange.Interop.Tests.dll", "Nhi.TokenExchange.Soak.dll", StringComparison.Ordinal);

    [Test]
    public async Task Half_a_minute_of_jobs_and_faults_breaks_no_invariant()
    {
        (int code, string said, JsonElement report) = await RunAsync("--seconds", "30", "--seed", "20261128");

        Assert.That(code, Is.Zero, said);
        JsonElement summary = report.GetProperty("summary");
        Assert.Multiple(() =>
        {
            Assert.That(summary.GetProperty("mostFlightsAtOnce").GetInt32(), Is.EqualTo(1));
            foreach (string zero in new[] { "deadHandedOut", "unrecorded", "leaked", "secretsSaid", "trailFaults", "failedBesideACredential", "lostWaiters", "crossed", "endedTwice", "unobservedExceptions" })
                Assert.That(summary.GetProperty(zero).GetInt32(), Is.Zero, zero);
            foreach (string many in new[] { "jobs", "issued", "recorded", "revoked", "unrevoked", "failed", "gaveUp", "used" })
                Assert.That(summary.GetProperty(many).GetInt32(), Is.Positive, $"{many}: a soak in which that never happens tries nothing");
            foreach (JsonProperty end in summary.GetProperty("ends").EnumerateObject())
                Assert.That(end.Value.GetInt32(), Is.Positive, $"{end.Name}: jobs end in every way");
            string[] faults = [.. report.GetProperty("faults").EnumerateArray().Select(fault => fault.GetString()!)];
            foreach (string fault in Faults)
                Assert.That(faults, Has.Some.Contains($": {fault} at "), "each fault once");
            Assert.That(faults, Has.Some.EndsWith(" at Vault"));
        });
    }

    // All that the command line takes.
    private static readonly string[] Faults =
    [
        "503", "500", "429", "slow", "reset", "answer lost", "answer cut", "garbage", "sign-in page", "wider scope", "expired answer", "no expires_in", "discovery fails", "proof endpoint fails", "proof endpoint says garbage",
        "revocation fails", "revocation throttled", "revocation not found", "revocation slow", "revocation reset", "token file half written", "token file missing", "cancellation storm", "policy denies", "clock ahead", "clock back", "suspend",
        "audit fails", "audit stalls", "process stopped",
    ];

    private const int FewestHandOuts = 1000;

    // What the planted bugs are found in: half a dozen seconds in which nothing else goes wrong.
    private const string Short = "--seconds 6 --jobs 6 --life 4-4 --faults off";

    // Credentials live long enough that only what is slow brings them dead.
    private const string LongLives = "--seconds 8 --jobs 6 --life 8-8 --faults off";

    // One issuer has to recover, and means and slopes are judged.
    private const string OneRecovery = "--seconds 30 --jobs 12 --life 20-20 --faults garbage --long on";

    private const string Longer = "--seconds 12 --jobs 6 --life 4-4 --faults off";

    // One kind of fault alone, twice.
    private const string Suspended = "--seconds 24 --jobs 6 --life 4-4 --faults suspend";
    private const string SetBack = "--seconds 24 --jobs 6 --life 4-4 --faults clock_back";
    private const string Denying = "--seconds 24 --jobs 6 --life 4-4 --faults policy_denies";

    [TestCase("double-flight", 1, Short, "requests for one credential at once")]
    [TestCase("dead-credential", 2, Short, "after it was revoked")]
    [TestCase("after-the-end", 2, Short, "after its job had ended")]
    [TestCase("sent-again", 2, Short, "and said Revoked")]
    [TestCase("monotonic-alone", 2, Suspended, "after it was")]
    [TestCase("wall-alone", 2, SetBack, "after it was")]
    [TestCase("issued-not-recorded", 3, Short, "had recorded no intent before")]
    [TestCase("recorded-late", 3, Short, "before its issue was recorded")]
    [TestCase("intent-once", 3, Short, "had recorded no intent")]
    [TestCase("hangs-up", 3, Short, "the audit")]
    [TestCase("answer-dropped", 3, Longer, "and delivered, and the audit does not know it")]
    [TestCase("denied-anyway", 3, Denying, "was asked for while")]
    [TestCase("not-revoked", 4, Short, "is said to be revoked, and is not")]
    [TestCase("left-out-alive", 4, Short, "lives on, and its job's report does not list it")]
    [TestCase("left-out-revoked", 4, Short, "was revoked at its job's end, and the report does not list it")]
    [TestCase("token-logged", 5, Short, "log.txt holds an access token")]
    [TestCase("proof-in-a-file", 5, Short, "holds a proof")]
    [TestCase("line-changed", 6, Short, "the trail does not hold")]
    [TestCase("trail-cut", 6, Short, "the trail")]
    [TestCase("trail-removed", 6, Short, "has no file of the chain of anchor")]
    [TestCase("trail-left-out", 6, Short, "the trail has no event")]
    [TestCase("life-overstated", 6, Short, "before the trail says that it does")]
    [TestCase("fails-beside-a-credential", 7, Short, "was valid")]
    [TestCase("dead-too-early", 7, LongLives, "failed with NHI5003, and nothing was wrong that has this code")]
    [TestCase("held-until-dead", 7, Short, "failed with NHI5003, and nothing was wrong that has this code")]
    [TestCase("retry-storm", 8, Short, "were needed at most")]
    [TestCase("asks-twice", 8, Short, "were needed at most")]
    [TestCase("herd", 8, OneRecovery, "times as full as usual")]
    [TestCase("lost-waiter", 9, Short, "had not come back")]
    [TestCase("exception-unobserved", 9, Short, "exceptions of tasks went unobserved")]
    [TestCase("thread-left", 9, Short, "threads beside the pool's")]
    [TestCase("handles-leaked", 10, Short, "handles at the end")]
    [TestCase("memory-leaked", 10, OneRecovery, "the collector holds")]
    [TestCase("native-memory-leaked", 10, Short, "the working set is")]
    [TestCase("job-held", 10, Short, "jobs that are over are held by something")]
    [TestCase("pool-blocked", 11, Short, "for a thread of the pool")]
    [TestCase("crossed", 12, Short, "was handed to")]
    [TestCase("ended-twice", 13, Short, "Revoked, Revoked")]
    public async Task A_planted_bug_is_found_by_the_invariant_that_is_meant_for_it(string bug, int invariant, string run, string breach)
    {
        (int code, string said, JsonElement report) = await RunAsync([.. Words(run), "--bug", bug]);
        // On a machine that hardly runs at all, seconds try nothing: then minutes do.
        if (!Told(report, breach) && report.GetProperty("summary").GetProperty("handOuts").GetInt64() < FewestHandOuts)
            (code, said, report) = await RunAsync([.. Words(run), "--seconds", "60", "--bug", bug]);

        Assert.That(code, Is.EqualTo(1), said);
        Assert.That(Breached(report), Does.Contain(invariant), said);
        Assert.That(Told(report, breach), said);
        // What has no instant has no events around it.
        Assert.That(report.GetProperty("around").GetArrayLength() > 0 || invariant is 5 or 6 or 8 or 10 || bug is "exception-unobserved" or "thread-left", said);
    }

    [TestCase(Short)]
    [TestCase(LongLives)]
    [TestCase(Longer)]
    [TestCase(OneRecovery)]
    [TestCase(Suspended)]
    [TestCase(SetBack)]
    [TestCase(Denying)]
    public async Task Without_a_bug_the_run_of_the_planted_ones_breaks_nothing(string run)
    {
        (int code, string said, _) = await RunAsync(Words(run));

        Assert.That(code, Is.Zero, said);
    }

    [Test]
    public async Task Each_bug_that_can_be_planted_is_planted_here()
    {
        (int code, string said) = await ChildProgram.RunAsync(Deadline, new Dictionary<string, string>(), "dotnet", Program, "--bug", "none");

        string[] planted = [.. typeof(SoakTests).GetMethod(nameof(A_planted_bug_is_found_by_the_invariant_that_is_meant_for_it))!
            .GetCustomAttributes(typeof(TestCaseAttribute), inherit: false).Select(one => (string)((TestCaseAttribute)one).Arguments[0]!)];
        Assert.That(code, Is.EqualTo(2));
        Assert.That(said, Does.Contain($"There is no bug none; there are: {string.Join(", ", planted)}."));
    }

    // A fault's name has blanks.
    private static string[] Words(string run) => [.. run.Split(' ').Select(word => word.Replace('_', ' '))];

    private static bool Told(JsonElement report, string breach) => report.GetProperty("breaches").EnumerateArray().Any(one => one.GetString()!.Contains(breach, StringComparison.Ordinal));

    private static int[] Breached(JsonElement report) => [.. report.GetProperty("breached").EnumerateArray().Select(number => number.GetInt32())];

    private static async Task<(int Code, string Said, JsonElement Report)> RunAsync(params string[] arguments)
    {
        string report = Path.Combine(Path.GetTempPath(), $"soak-{Guid.NewGuid():N}.md");
        try
        {
            (int code, string said) = await ChildProgram.RunAsync(Deadline, new Dictionary<string, string>(), "dotnet", [Program, .. arguments, "--report", report]);
            Assert.That(Path.ChangeExtension(report, ".json"), Does.Exist, said);
            using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(Path.ChangeExtension(report, ".json")));
            return (code, said, json.RootElement.Clone());
        }
        finally
        {
            File.Delete(report);
            File.Delete(Path.ChangeExtension(report, ".json"));
        }
    }
}
