using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Nhi.TokenExchange.Tests;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary><c>nhi exec --psql</c>: psql as it is installed, against a real server.</summary>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
[NonParallelizable]   // one server
internal sealed class PsqlTests
{
    private const string WhoAmI = "psql --no-psqlrc --no-password --tuples-only --no-align --command 'SELECT current_user, total FROM orders WHERE id = 1'";

    private static readonly Dictionary<string, string> NoVariables = [];

    private PostgresServer _server = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _server = await PostgresServer.StartAsync();

    [OneTimeTearDown]
    public async Task EndAsync() => await _server.DisposeAsync();

    private async Task<DoctoredJob> JobAsync(string prefix)
    {
        DoctoredJob job = await DoctoredJob.StartAsync();
        job.Target = new JsonObject
        {
            ["Identity"] = "job", ["Exchange"] = "PostgresRole", ["Host"] = _server.Folder, ["Port"] = $"{_server.Port}", ["Database"] = "orders", ["Username"] = PostgresServer.Admin,
            ["SubjectAudience"] = "orders-database", ["RolePrefix"] = prefix, ["Scopes"] = new JsonArray("orders_reader"),
        };
        job.Emulator.JobIdentity(ProofShape.Kubernetes, DoctoredJob.Subject).WriteProofFile(job.Proof, "orders-database");
        job.Section["Journal"] = job.PathOf("journal");
        return job;
    }

    private static Task<ToolRun> ExecAsync(string config, string script, IReadOnlyDictionary<string, string>? variables = null) =>
        ToolRun.ProgramAsync(variables ?? NoVariables, "exec", "--config", config, "--psql", "warehouse", "--", "sh", "-c", script);

    [Test]
    public async Task Psql_gets_in_by_the_service_and_its_role_is_gone_afterwards()
    {
        await using DoctoredJob job = await JobAsync("tone");

        ToolRun run = await ExecAsync(job.WriteSettings(), $"{WhoAmI}; psql --no-psqlrc --no-password --tuples-only --no-align --command 'SELECT 1' service=warehouse", new Dictionary<string, string> { ["PGPASSWORD"] = "another", ["PGHOSTADDR"] = "192.0.2.1", ["PGUSER"] = "postgres", ["PGHOST"] = "elsewhere.invalid" });

        Assert.That(run.ExitCode, Is.Zero, run.All);
        Assert.That(run.Output, Does.Match("^tone_warehouse_[a-z0-9_]+\\|217\\.64\n1\n$"));
        Assert.That(await _server.LoginsAsync("tone"), Is.Empty);
    }

    [Test]
    public async Task A_login_that_is_asked_for_as_a_token_is_told_its_option()
    {
        await using DoctoredJob job = await JobAsync("tnine");

        ToolRun run = await ToolRun.HereAsync("exec", "--config", job.WriteSettings(), "--target", "warehouse", "--", "true");

        Assert.That((run.ExitCode, run.Error.Trim()), Is.EqualTo((2, "--target: 'warehouse' gives logins of a database, which have a way of their own. Name it by --psql.")));
    }

    [Test]
    public async Task The_files_are_their_users_alone_in_a_folder_that_goes_with_the_run_and_no_password_is_in_the_environment()
    {
        await using DoctoredJob job = await JobAsync("ttwo");

        ToolRun run = await ExecAsync(job.WriteSettings(), "env >&2; stat -c %a \"$PGPASSFILE\" \"$PGSERVICEFILE\" \"$(dirname \"$PGPASSFILE\")\"; cut -d : -f 5 \"$PGPASSFILE\" | head -n 1; dirname \"$PGPASSFILE\"");

        Assert.That(run.ExitCode, Is.Zero, run.All);
        string[] lines = run.Output.Split('\n');
        Assert.That(lines[..3], Is.EqualTo(new[] { "600", "600", "700" }));
        Assert.That(lines[3], Has.Length.GreaterThan(20));
        Assert.That(run.Error, Does.Contain("PGSERVICE=warehouse").And.Not.Contain(lines[3]));
        Assert.That(lines[4], Does.StartWith(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } own ? own : "/dev/shm/"));
        Assert.That(Directory.Exists(lines[4]), Is.False);
    }

    [Test]
    public async Task A_program_that_runs_longer_than_its_login_finds_the_next_one()
    {
        await using DoctoredJob job = await JobAsync("tlong");
        job.Target["MaxLifetime"] = "00:01:00";
        using RunningTool running = await RunningTool.StartAsync(
            "other", "exec", "--config", job.WriteSettings(), "--psql", "warehouse", "--", "sh", "-c", $"first=$({WhoAmI}); i=0; while [ $i -lt 900 ] && [ \"$first\" = \"$({WhoAmI})\" ]; do i=$((i + 1)); sleep 0.1; done; [ \"$first\" != \"$({WhoAmI})\" ] && echo other");

        Assert.That(await running.EndAsync(), Is.Zero);
        Assert.That(await _server.LoginsAsync("tlong"), Is.Empty);
    }

    [Test]
    public async Task Nhi_that_is_killed_leaves_files_and_a_role_that_the_next_run_takes_away()
    {
        await using DoctoredJob job = await JobAsync("tkill");
        string config = job.WriteSettings();
        string folder;
        using (RunningTool running = await RunningTool.StartAsync("ready", "exec", "--config", config, "--psql", "warehouse", "--", "sh", "-c", "echo ready $(dirname \"$PGPASSFILE\"); i=0; while [ $i -lt 300 ] && [ -e \"$PGPASSFILE\" ]; do i=$((i + 1)); sleep 0.1; done"))
        {
            folder = running.Line["ready ".Length..];
            await running.KillAsync();
        }
        Assert.That((Directory.Exists(folder), (await _server.LoginsAsync("tkill")).Count), Is.EqualTo((true, 1)));

        ToolRun next = await ExecAsync(config, "true");

        Assert.That(next.ExitCode, Is.Zero, next.All);
        Assert.That(Directory.Exists(folder), Is.False);
        Assert.That(await _server.LoginsAsync("tkill"), Is.Empty);
    }

    [Test]
    public async Task Over_TLS_the_server_is_verified_by_the_authority_of_the_settings()
    {
        const string Role = "ttls_by_hand";
        string password = System.Security.Cryptography.RandomNumberGenerator.GetString("abc:\\", 24);   // what a password file escapes
        await _server.RunSqlAsync($"CREATE ROLE {Role} LOGIN PASSWORD '{password}' IN ROLE orders_reader");
        await using JobSession session = await JobSession.StartAsync(b => b.Identity("job", IdentitySources.OidcFile("/nowhere")).Target("warehouse", Targets.PostgresRole($"{_server.TlsConnection};Username=token_admin"), "job", "orders_reader").EndOnSignals(false));
        DirectoryInfo folder = Directory.CreateTempSubdirectory("nhi-psql-");
        try
        {
            foreach ((string root, int code) in new[] { (Path.Combine(_server.Folder, "root.crt"), 0), ("/etc/ssl/certs/ca-certificates.crt", 2) })
            {
                var service = new PostgresService(session, "warehouse", new CredentialCaller("psql 1", "psql"), root);
                var login = new DatabaseLogin(Role, password, TimeProvider.System.GetUtcNow().AddHours(1));
                var services = new System.Text.StringBuilder();
                var passwords = new System.Text.StringBuilder();
                service.AppendTo(services, login);
                service.AppendPasswordTo(passwords, login);
                string serviceFile = Path.Combine(folder.FullName, "services"), passwordFile = Path.Combine(folder.FullName, "passwords");
                await File.WriteAllTextAsync(serviceFile, services.ToString());
                await File.WriteAllTextAsync(passwordFile, passwords.ToString());
                File.SetUnixFileMode(passwordFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                var start = new System.Diagnostics.ProcessStartInfo("sh", ["-c", WhoAmI]) { RedirectStandardOutput = true, RedirectStandardError = true };
                (start.Environment["PGSERVICEFILE"], start.Environment["PGPASSFILE"], start.Environment["PGSERVICE"]) = (serviceFile, passwordFile, "warehouse");

                using var psql = System.Diagnostics.Process.Start(start)!;
                string said = await psql.StandardOutput.ReadToEndAsync() + await psql.StandardError.ReadToEndAsync();
                await psql.WaitForExitAsync();

                Assert.That((psql.ExitCode, code == 0 ? said.Trim() : said.Contains("certificate verify failed", StringComparison.Ordinal) ? "refused" : said), Is.EqualTo((code, code == 0 ? $"{Role}|217.64" : "refused")));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Test]
    public async Task A_target_of_another_kind_is_named_and_nothing_is_started()
    {
        await using DoctoredJob job = await DoctoredJob.StartAsync();
        job.UseVault();

        ToolRun run = await ExecAsync(job.WriteSettings(), "echo started");

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((125, "")), run.All);
        Assert.That(run.Error, Does.StartWith("NHI1004"));
    }
}
