using System.Text.RegularExpressions;

namespace Nhi.TokenExchange;

/// <summary>The worker of samples/Worker against the emulator: as it is built, and as native code.</summary>
/// <remarks>The code is the sample's; all that is said here are the hosts, by the variables that override appsettings.json.</remarks>
internal sealed class WorkerTests
{
    private const string Subject = "system:serviceaccount:jobs:orders-nightly";
    private const string ServicePrincipal = "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10";   // as in appsettings.json
    private static readonly TimeSpan RunDeadline = TimeSpan.FromSeconds(120);

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("nhi-worker-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task The_worker_reads_by_two_targets_over_three_hops_and_gives_all_back() => await AssertReadsAsync(Surroundings.Plain, "dotnet", Built());

    [Test]
    public async Task A_worker_with_wrong_settings_says_all_of_them_at_its_start_and_asks_nobody() => await RefusedAsync(Surroundings.Plain, "dotnet", Built());

    [Test]
    public async Task The_worker_as_native_code_is_published_without_a_warning_and_does_the_same()
    {
        string binary = await NativeSample.PublishAsync("Worker");

        await AssertReadsAsync(Surroundings.Plain, binary);
        Assert.That(await RefusedAsync(Surroundings.Plain, binary), Is.EqualTo(await RefusedAsync(Surroundings.Plain, "dotnet", Built())));
    }

    // As it is built, it runs without cultures; here it is given those of the machine.
    [Test]
    public async Task The_worker_does_and_says_the_same_in_every_language_and_time_zone() =>
        await AssertSameInAsync([Surroundings.Turkish.WithCultures, Surroundings.Thai.WithCultures, Surroundings.Invariant], "dotnet", Built());

    [Test]
    public async Task The_native_worker_does_and_says_the_same_in_every_time_zone() =>
        await AssertSameInAsync([Surroundings.Turkish, Surroundings.Thai, Surroundings.Invariant], await NativeSample.PublishAsync("Worker"));

    [TestCase(0, "false")]
    [TestCase(69, "true")]
    public async Task A_host_whose_credentials_could_not_be_revoked_says_so_and_fails_where_it_is_told_to(int expected, string failOnUnrevoked)
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        Dictionary<string, string> settings = Settings(emulator);
        settings["TokenExchange__FailOnUnrevoked"] = failOnUnrevoked;
        emulator.Faults.Always(EmulatorEndpoint.Revocation, Fault.Error("not_found", 404));

        (int exitCode, string said) = await ChildProgram.RunAsync(RunDeadline, Surroundings.Plain.With(settings), "dotnet", Built());

        Assert.That(exitCode, Is.EqualTo(expected), said);
        Assert.That(said, Does.Contain("Job ended (host stop) with credentials that live on").And.Contain("NOT revoked (NHI4012"));
        string authorization = emulator.Authorization.Issuer.OriginalString;
        Assert.That(emulator.Ledger.Issued.Where(issue => issue.Issuer == authorization).Select(issue => (said.Contains($"{issue.Fingerprint}: NOT revoked", StringComparison.Ordinal), emulator.Ledger.IsAlive(issue.Fingerprint))),
            Is.Not.Empty.And.All.EqualTo((true, true)), "what the log says is what the issuer knows");
    }

    private async Task AssertSameInAsync(Surroundings[] places, string program, params string[] arguments)
    {
        string expected = await RefusedAsync(Surroundings.Plain, program, arguments);
        foreach (Surroundings place in places)
        {
            await AssertReadsAsync(place, program, arguments);
            Assert.That(await RefusedAsync(place, program, arguments), Is.EqualTo(expected), place.Name);
        }
    }

    private async Task AssertReadsAsync(Surroundings place, string program, params string[] arguments)
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        (int exitCode, string said) = await ChildProgram.RunAsync(RunDeadline, place.With(Settings(emulator)), program, arguments);
        AssertAllWentWell(emulator, exitCode, $"{place}: {said}");
        Assert.That(said, Does.Not.Match(@"T\d\d:\d\d:\d\d(\.\d+)?[+-](?!00:00)\d\d:\d\d"), "instants are written in UTC");
    }

    // What the worker says of wrong settings, but for the emulator's ports and for traces, of which native code has shorter ones.
    private async Task<string> RefusedAsync(Surroundings place, string program, params string[] arguments)
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        Dictionary<string, string> settings = Settings(emulator);
        string secret = Guid.NewGuid().ToString("N");
        settings["TokenExchange__Targets__databricks__ClientSecret"] = secret;
        settings["TokenExchange__Targets__warehouse__Through"] = "acount";
        settings["TokenExchange__Targets__account__MaxLifetime"] = "a while";
        (int exitCode, string said) = await ChildProgram.RunAsync(RunDeadline, place.With(settings), program, arguments);
        AssertRefused(emulator, exitCode, said, secret);
        IEnumerable<string> lines = Regex.Replace(said, @"127\.0\.0\.1:\d+", "*", RegexOptions.NonBacktracking).Split('\n');
        return string.Join('\n', lines.Where(line => !line.TrimStart().StartsWith("at ", StringComparison.Ordinal) && !line.TrimStart().StartsWith("--- ", StringComparison.Ordinal)));
    }

    private static void AssertAllWentWell(IdentityEmulator emulator, int exitCode, string said)
    {
        Assert.That(exitCode, Is.Zero, said);
        Assert.That(said, Does.Contain("Read 100 rows of the warehouse, 100 of the workspace").And.Contain("Health: Healthy, 3 targets"));
        Assert.That(emulator.Ledger.Uses.Select(use => use.Verdict), Is.EqualTo(Enumerable.Repeat(UseVerdict.Accepted, 4)), said);
        string authorization = emulator.Authorization.Issuer.OriginalString;
        LedgerIssue[] issued = [.. emulator.Ledger.Issued];
        Assert.That(issued.Select(issue => (issue.Issuer == authorization, issue.Scope)), Is.EquivalentTo(new[] { (true, "dataset:customers dataset:orders"), (true, "dataset:orders"), (false, "sql") }), "one exchange for each hop");
        Assert.That(issued.Where(issue => issue.Issuer == authorization).Select(issue => issue.RevokedAt), Is.All.Not.Null, "given back");
        Assert.That(said, Does.Contain("cannot be revoked").Or.Contain("ends nothing before its time"), "and what can't be, is said");
    }

    private static void AssertRefused(IdentityEmulator emulator, int exitCode, string said, string secret)
    {
        Assert.That(exitCode, Is.EqualTo(2), said);
        Assert.That(said, Does.Contain("TokenExchange:Targets:databricks:ClientSecret").And.Contain("NHI1002"));
        Assert.That(said, Does.Contain("TokenExchange:Targets:warehouse").And.Contain("acount"));
        Assert.That(said, Does.Contain("TokenExchange:Targets:account:MaxLifetime"));
        Assert.That(said, Does.Not.Contain(secret));
        Assert.That(emulator.Ledger.Issued, Is.Empty);
    }

    // What differs between the emulator and the world: addresses and files. Everything else is as appsettings.json has it.
    private Dictionary<string, string> Settings(IdentityEmulator emulator)
    {
        emulator.Authorization.AddClient("orders-nightly", Subject, "dataset:orders", "dataset:customers");
        emulator.Databricks.AddServicePrincipal(ServicePrincipal, Subject, "sql");
        JobIdentity job = emulator.JobIdentity(ProofShape.Kubernetes, Subject);
        string account = Path.Combine(_folder, "account");
        string workspace = Path.Combine(_folder, "workspace");
        job.WriteProofFile(account, emulator.Authorization.Issuer.OriginalString);
        job.WriteProofFile(workspace, emulator.Databricks.TokenEndpoint.OriginalString);
        string warehouse = emulator.Warehouse.Address.OriginalString;
        return new Dictionary<string, string>
        {
            ["Apis__Warehouse"] = warehouse,
            ["Apis__Workspace"] = warehouse,   // the emulator has one API, which takes the tokens of both issuers
            ["Load__Pause"] = "00:00:00.02",
            ["TokenExchange__Identities__job__Path"] = account,
            ["TokenExchange__Identities__workspace__Path"] = workspace,
            ["TokenExchange__Targets__account__Issuer"] = emulator.Authorization.Issuer.OriginalString,
            ["TokenExchange__Targets__warehouse__Issuer"] = emulator.Authorization.Issuer.OriginalString,
            ["TokenExchange__Targets__warehouse__AllowedOrigins__0"] = warehouse,
            ["TokenExchange__Targets__databricks__Host"] = emulator.Databricks.Host.OriginalString,
            ["TokenExchange__Targets__databricks__AllowedOrigins__0"] = warehouse,
        };
    }

    private static string Built() => SamplesTests.Built("Worker");
}
