using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary><c>nhi exec</c>, as a program of its own beside a program of its own.</summary>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
internal sealed class ExecTests
{
    // A program in another language, which knows nothing but its environment: gets a token, and says whether one came.
    private const string Ask = """
        curl --silent --unix-socket "${NHI_BROKER#unix:}" http://localhost/oauth2/token --data-urlencode grant_type=urn:ietf:params:oauth:grant-type:token-exchange \
          --data-urlencode subject_token_type=urn:ietf:params:oauth:token-type:access_token --data-urlencode "subject_token@$NHI_BROKER_TOKEN_FILE" --data-urlencode audience=warehouse | grep -o '"token_type":"Bearer"'
        """;

    // As long as nhi is there, for a program that nhi does not end.
    private const string Wait = "i=0; while [ $i -lt 300 ] && [ -e \"$NHI_BROKER_TOKEN_FILE\" ]; do i=$((i + 1)); sleep 0.1; done";

    private static readonly Dictionary<string, string> NoVariables = [];

    private static async Task<(DoctoredJob Job, string Config)> StartAsync()
    {
        DoctoredJob job = await DoctoredJob.StartAsync();
        job.UseVault();
        return (job, job.WriteSettings());
    }

    [Test]
    public async Task A_program_gets_what_it_may_have_and_what_it_got_is_revoked_when_it_ends()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            ToolRun run = await ToolRun.ProgramAsync(NoVariables, "exec", "--config", config, "--target", "warehouse", "--", "sh", "-c", $"{Ask}; exit 7");

            Assert.That((run.ExitCode, run.Output.Trim()), Is.EqualTo((7, "\"token_type\":\"Bearer\"")), run.All);
            Assert.That(job.Emulator.Ledger.Issued.Single().RevokedAt, Is.Not.Null);
        }
    }

    [Test]
    public async Task A_program_that_is_killed_leaves_nothing()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            ToolRun run = await ToolRun.ProgramAsync(NoVariables, "exec", "--config", config, "--target", "warehouse", "--", "sh", "-c", $"{Ask}; kill -9 $$");

            Assert.That(run.ExitCode, Is.EqualTo(137), run.All);
            Assert.That(job.Emulator.Ledger.Issued.Single().RevokedAt, Is.Not.Null);
        }
    }

    [Test]
    public async Task A_signal_is_passed_on_and_the_exit_code_is_the_programs()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            using RunningTool running = await RunningTool.StartAsync("ready", "exec", "--config", config, "--target", "warehouse", "--", "sh", "-c", "trap 'exit 9' TERM; echo ready; i=0; while [ $i -lt 300 ]; do i=$((i + 1)); sleep 0.1; done");

            Assert.That(await running.TerminateAsync(), Is.EqualTo(9));
        }
    }

    [Test]
    public async Task A_signal_ends_the_program_and_revokes_what_it_got()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            using RunningTool running = await RunningTool.StartAsync("ready", "exec", "--config", config, "--target", "warehouse", "--", "sh", "-c", $"{Ask}; echo ready; {Wait}");
            Assert.That(job.Emulator.Vault.OpenTokens, Is.EqualTo(1));

            Assert.That(await running.TerminateAsync(), Is.EqualTo(128 + 15));
            Assert.That(job.Emulator.Ledger.Issued.Single().RevokedAt, Is.Not.Null);
        }
    }

    [Test]
    public async Task What_was_held_when_nhi_itself_was_killed_is_in_the_journal_and_its_files_go_with_the_next_run()
    {
        DoctoredJob job = await DoctoredJob.StartAsync();
        await using (job)
        {
            job.UseVault();
            job.Section["Journal"] = job.PathOf("journal");
            string config = job.WriteSettings();
            string folder;
            using (RunningTool running = await RunningTool.StartAsync("ready", "exec", "--config", config, "--target", "warehouse", "--", "sh", "-c", $"{Ask}; echo ready $(dirname \"$NHI_BROKER_TOKEN_FILE\"); {Wait}"))
            {
                folder = running.Line["ready ".Length..];
                ToolRun beside = await ToolRun.ProgramAsync(NoVariables, "exec", "--config", config, "--target", "warehouse", "--", "true");
                Assert.That((beside.ExitCode, Directory.Exists(folder)), Is.EqualTo((0, true)), "a run that goes on keeps its files\n" + beside.All);
                await running.KillAsync();
            }
            Assert.That((job.Emulator.Vault.OpenTokens, Directory.Exists(folder)), Is.EqualTo((1, true)));

            ToolRun next = await ToolRun.ProgramAsync(NoVariables, "exec", "--config", config, "--target", "warehouse", "--", "true");

            Assert.That(next.ExitCode, Is.Zero, next.All);
            Assert.That((job.Emulator.Vault.OpenTokens, Directory.Exists(folder)), Is.EqualTo((0, false)));
        }
    }

    [Test]
    public async Task The_environment_of_the_program_has_no_credential_and_nothing_that_goes_before_the_broker()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            ToolRun run = await ToolRun.ProgramAsync(new Dictionary<string, string> { ["AWS_PROFILE"] = "prod" }, "exec", "--config", config, "--azure", "warehouse=https://storage.azure.com", "--", "env");

            Assert.That(run.ExitCode, Is.Zero, run.All);
            Assert.That(run.Output, Does.Contain("IDENTITY_ENDPOINT=http://127.0.0.1:").And.Contain("NHI_BROKER_TOKEN_FILE=").And.Not.Contain("AWS_PROFILE"));
            Assert.That(job.Emulator.Ledger.Issued, Is.Empty, "nothing is got before it is asked for");
        }
    }

    [TestCase("no-such-program", 127, "is not there")]
    [TestCase("/etc/passwd", 126, "can't be executed")]
    [TestCase("/tmp", 126, "can't be executed: it is a folder")]
    public async Task A_program_that_can_not_be_started_is_named(string program, int code, string said)
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            ToolRun run = await ToolRun.HereAsync("exec", "--config", config, "--target", "warehouse", "--", program);

            Assert.That(run.ExitCode, Is.EqualTo(code), run.All);
            Assert.That(run.Error, Does.Contain($"'{program}' {said}"));
        }
    }

    [Test]
    public async Task A_program_is_looked_for_where_PATH_says_and_not_in_the_current_folder()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            string decoy = job.Write("uname", "#!/bin/sh\necho decoy\n");
            File.SetUnixFileMode(decoy, (UnixFileMode)0x1ED);

            ToolRun real = await ToolRun.ProgramInAsync(job.PathOf("."), NoVariables, "exec", "--config", config, "--target", "warehouse", "--", "uname");
            ToolRun none = await ToolRun.ProgramInAsync(job.PathOf("."), new Dictionary<string, string> { ["PATH"] = $".:{Path.GetDirectoryName(Environment.ProcessPath)}:/usr/share" }, "exec", "--config", config, "--target", "warehouse", "--", "uname");
            ToolRun named = await ToolRun.ProgramInAsync(job.PathOf("."), NoVariables, "exec", "--config", config, "--target", "warehouse", "--", "./uname");

            Assert.That((real.ExitCode, real.Output.Trim()), Is.EqualTo((0, "Linux")), real.All);
            Assert.That((none.ExitCode, none.Output), Is.EqualTo((127, "")), none.All);
            Assert.That((named.ExitCode, named.Output.Trim()), Is.EqualTo((0, "decoy")), named.All);
        }
    }

    [Test]
    public async Task A_signal_while_credentials_are_being_ended_does_not_stop_that()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            HeldRequest held = job.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultToken, HoldPoint.BeforeAnswer);
            using RunningTool running = await RunningTool.StartAsync("folder", "exec", "--config", config, "--target", "warehouse", "--", "sh", "-c", $"{Ask}; echo folder $(dirname \"$NHI_BROKER_TOKEN_FILE\"); exit 7");
            await held.Reached;

            await running.SignalAsync("TERM");
            await running.SignalAsync("INT");
            held.Release();

            Assert.That(await running.EndAsync(), Is.EqualTo(7));
            Assert.That(job.Emulator.Ledger.Issued.Single().RevokedAt, Is.Not.Null);
            Assert.That(Directory.Exists(running.Line["folder ".Length..]), Is.False);
        }
    }

    [Test]
    public async Task A_second_signal_ends_the_wait_for_credentials_of_a_run_whose_program_never_started()
    {
        DoctoredJob job = await DoctoredJob.StartAsync();
        await using (job)
        {
            job.UseVault();
            job.Section["Journal"] = job.PathOf("journal");
            string config = job.WriteSettings();
            using (RunningTool killed = await RunningTool.StartAsync("ready", "exec", "--config", config, "--target", "warehouse", "--", "sh", "-c", $"{Ask}; echo ready; {Wait}"))
                await killed.KillAsync();
            HeldRequest held = job.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultToken, HoldPoint.BeforeAnswer);
            using RunningTool running = await RunningTool.StartUntilErrorAsync("is not there", "exec", "--config", config, "--target", "warehouse", "--", "no-such-program");
            await held.Reached;

            do
                await running.SignalAsync("TERM");
            while (!await running.HasEndedWithinAsync(TimeSpan.FromMilliseconds(500)));

            Assert.That(await running.EndAsync(), Is.EqualTo(128 + 15), "not 127, which is what it ends with when all is ended");
            held.Release();
        }
    }

    [Test]
    public async Task Another_process_of_the_same_user_gets_nothing_of_the_programs()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            using RunningTool running = await RunningTool.StartAsync("at ", "exec", "--config", config, "--google", "warehouse=loader@my-project.iam.gserviceaccount.com,my-project", "--", "sh", "-c", $"echo at $GCE_METADATA_HOST; {Wait}");
            using var http = new HttpClient();
            using var get = new HttpRequestMessage(HttpMethod.Get, $"http://{running.Line["at ".Length..]}/computeMetadata/v1/instance/service-accounts/default/token");
            get.Headers.Add("Metadata-Flavor", "Google");

            using HttpResponseMessage refused = await http.SendAsync(get);

            Assert.That((int)refused.StatusCode, Is.EqualTo(403));
            Assert.That(job.Emulator.Ledger.Issued, Is.Empty);
            await running.TerminateAsync();
        }
    }

    [Test]
    public async Task What_fails_before_the_program_starts_has_one_code()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            ToolRun broken = await ToolRun.HereAsync("exec", "--config", job.Write("broken.json", "{"), "--target", "warehouse", "--", "true");
            ToolRun folder = await ToolRun.ProgramAsync(new Dictionary<string, string> { ["XDG_RUNTIME_DIR"] = "/proc" }, "exec", "--config", config, "--target", "warehouse", "--", "sh", "-c", "echo $NHI_BROKER_TOKEN_FILE");

            Assert.That(broken.ExitCode, Is.EqualTo(125), broken.All);
            Assert.That(broken.Error, Does.StartWith("NHI1001"));
            Assert.That((folder.ExitCode, folder.Output[..9]), Is.EqualTo((0, "/dev/shm/")), "the next place does\n" + folder.All);
        }
    }

    [Test]
    public async Task Who_is_refused_by_the_broker_is_seen_on_the_standard_error()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            ToolRun run = await ToolRun.ProgramAsync(NoVariables, "exec", "--config", config, "--target", "warehouse", "--", "sh", "-c", "curl --silent --unix-socket \"${NHI_BROKER#unix:}\" http://attacker.example/oauth2/token");

            Assert.That(run.ExitCode, Is.Zero, run.All);
            Assert.That(run.Error, Does.Contain("nhi: Refused with 421: the Host header must be localhost (none; asked by process "));
        }
    }

    [TestCase("--docker", "warehouse=registry.example", "warehouse=https://Registry.example/", "registry.example")]
    [TestCase("--git", "warehouse=https://git.example", "warehouse=https://git.example:443/,loader", "https://git.example/")]
    [TestCase("--kubectl", "warehouse=https://one.example", "warehouse=https://two.example", "warehouse")]
    public async Task A_place_that_is_named_twice_is_refused(string option, string first, string second, string named)
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            ToolRun run = await ToolRun.HereAsync("exec", "--config", config, option, first, option, second, "--", "true");

            Assert.That(run.ExitCode, Is.EqualTo(2), run.All);
            Assert.That(run.Error, Does.StartWith($"{option}: {named} is named twice."));
        }
    }

    [Test]
    public async Task A_program_whose_interpreter_is_not_there_is_told_so()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            string script = job.Write("load.sh", "#!/no/such/interpreter\n");
            File.SetUnixFileMode(script, (UnixFileMode)0x1ED);

            ToolRun run = await ToolRun.HereAsync("exec", "--config", config, "--target", "warehouse", "--", script);

            Assert.That(run.ExitCode, Is.EqualTo(126), run.All);
            Assert.That(run.Error, Does.Contain($"'{script}' can't be executed. The interpreter that its first line names is not there."));
        }
    }

    [Test]
    public async Task What_is_wrong_with_the_command_line_is_named()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            ToolRun none = await ToolRun.HereAsync("exec", "--config", config, "--", "true");
            ToolRun form = await ToolRun.HereAsync("exec", "--config", config, "--azure", "warehouse", "--", "true");
            ToolRun blank = await ToolRun.HereAsync("exec", "--config", config, "--target", "warehouse", "--", " ");
            ToolRun unknown = await ToolRun.HereAsync("exec", "--config", config, "--target", "warehous", "--", "true");

            Assert.That((none.ExitCode, form.ExitCode, unknown.ExitCode), Is.EqualTo((2, 2, 125)), none.All + form.All + unknown.All);
            Assert.That(none.Error, Does.Contain("--target: no target is named"));
            Assert.That(form.Error, Does.Contain("--azure: 'warehouse' has another form than lake=https://storage.azure.com."));
            Assert.That((blank.ExitCode, blank.Error), Is.EqualTo((2, "command: ' ' is no program. Name a file, or a program that PATH leads to." + Environment.NewLine)));
            Assert.That(unknown.Error, Does.StartWith("NHI1003"));
        }
    }

    [TestCase("--aws-profil warehouse -- true", "nhi exec: there is no '--aws-profil'. Did you mean --aws-profile?")]
    [TestCase("--taget warehouse -- true", "nhi exec: there is no '--taget'. Did you mean --target?")]
    [TestCase("--target warehouse nonsense -- true", "nhi exec: there is no 'nonsense'.")]
    [TestCase("--target warehouse --verbose true", "nhi exec: there is no '--verbose'. The program and its arguments stand behind --.")]
    [TestCase("--target warehouse sh -c true", "The program and its arguments stand behind --.")]
    public async Task A_word_before_the_program_that_is_no_option_of_nhi_is_named(string line, string said)
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            ToolRun run = await ToolRun.HereAsync(["exec", "--config", config, .. line.Split(' ')]);

            Assert.That(run.ExitCode, Is.EqualTo(2), run.All);
            Assert.That(run.Error, Does.Contain(said));
        }
    }

    [TestCase("--")]
    [TestCase(null)]
    public async Task A_programs_word_with_an_at_sign_is_its_own(string? separator)
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            string body = $"@{job.Write("body", "--target warehouse")}";

            ToolRun run = await ToolRun.ProgramAsync(NoVariables, ["exec", "--config", config, "--target", "warehouse", .. separator is null ? (string[])[] : [separator], "echo", body]);

            Assert.That((run.ExitCode, run.Output.Trim()), Is.EqualTo((0, body)), run.All);
        }
    }

    [Test]
    public async Task A_current_folder_that_is_gone_is_named()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            string gone = job.PathOf("gone");

            ToolRun run = await ToolRun.OfAsync("sh", "", NoVariables, "-c", $"mkdir '{gone}' && cd '{gone}' && rmdir '{gone}' && exec dotnet '{typeof(NhiCommand).Assembly.Location}' exec --config '{config}' --target warehouse -- true");

            Assert.That(run.ExitCode, Is.EqualTo(125), run.All);
            Assert.That(run.Error, Does.Contain("The current folder is not there any more."));
        }
    }
}
