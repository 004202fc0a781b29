using System.Collections.Concurrent;
using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary><c>nhi exec --git</c>: git as it is installed, against git's own server.</summary>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
internal sealed class GitTests
{
    private DoctoredJob _job = null!;
    private GitServer _server = null!;
    private readonly ConcurrentDictionary<string, bool> _refused = [];
    private string _config = "";

    [SetUp]
    public async Task StartAsync()
    {
        _refused.Clear();
        _job = await DoctoredJob.StartAsync();
        _job.UseVault();
        _config = _job.WriteSettings();
        _server = await GitServer.StartAsync(token => _job.Emulator.Ledger.IsAlive(Ledger.FingerprintOf(token)) && !_refused.ContainsKey(token));
    }

    [TearDown]
    public async Task EndAsync()
    {
        await _server.DisposeAsync();
        await _job.DisposeAsync();
    }

    private Task<ToolRun> ExecAsync(string host, string script, params (string Name, string Value)[] variables)
    {
        // None of the user's own helpers, and nobody to ask.
        var all = new Dictionary<string, string> { ["GIT_CONFIG_GLOBAL"] = _job.PathOf("gitconfig"), ["GIT_CONFIG_NOSYSTEM"] = "1", ["GIT_TERMINAL_PROMPT"] = "0", ["HOME"] = _job.PathOf(".") };
        foreach ((string name, string value) in variables)
            all[name] = value;
        return ToolRun.ProgramAsync(all, "exec", "--config", _config, "--git", host, "--", "sh", "-ec", $"cd {_job.PathOf(".")}; {script}");
    }

    [Test]
    public async Task Git_clones_and_pushes_and_the_token_is_revoked_afterwards()
    {
        ToolRun run = await ExecAsync($"warehouse={_server.Address},loader", $"""
            git clone --quiet {_server.Repository} work && cd work && git checkout --quiet -B main
            echo orders > orders.txt && git add . && git -c user.name=n -c user.email=n@example.com commit --quiet -m orders && git push --quiet origin main
            git ls-remote {_server.Repository} main | cut -f 2
            """);

        Assert.That(run.ExitCode, Is.Zero, run.All);
        Assert.That(run.Output.Trim(), Is.EqualTo("refs/heads/main"));
        LedgerIssue issued = _job.Emulator.Ledger.Issued.Single();
        Assert.That(_server.Seen.Select(one => (one.User, Ledger.FingerprintOf(one.Token))), Is.EqualTo(new[] { ("loader", issued.Fingerprint) }));
        Assert.That(issued.RevokedAt, Is.Not.Null);
        Assert.That(run.All, Does.Not.Contain(_server.Seen[0].Token));
    }

    [Test]
    public async Task The_configuration_of_the_environment_stays_and_the_users_own_helper_is_not_asked()
    {
        string own = _job.Write("gitconfig", "[credential]\n\thelper = \"!f() { echo username=me; echo password=mine; echo asked >> own; }; f\"\n");

        ToolRun run = await ExecAsync($"warehouse={_server.Address}", $"git ls-remote {_server.Repository}; git config nhi.kept; env >&2", ("GIT_CONFIG_GLOBAL", own), ("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "nhi.kept"), ("GIT_CONFIG_VALUE_0", "yes"));

        Assert.That((run.ExitCode, run.Output.Trim()), Is.EqualTo((0, "yes")), run.All);
        Assert.That(_server.Seen.Select(one => one.User), Is.EqualTo(new[] { "x-access-token" }));
        Assert.That(File.Exists(_job.PathOf("own")), Is.False);
        Assert.That(run.Error, Does.Not.Contain(_server.Seen[0].Token), "no token is in the environment");
    }

    [Test]
    public async Task A_token_that_the_server_refuses_is_given_back_and_the_next_call_gets_another()
    {
        string file = _job.PathOf("first");

        ToolRun run = await ExecAsync($"warehouse={_server.Address}", $"""
            printf 'protocol=http\nhost={_server.Address.Authority}\n\n' | git credential fill | sed -n 's/^password=//p' > {file}
            printf 'protocol=http\nhost={_server.Address.Authority}\nusername=x-access-token\npassword=%s\n\n' "$(cat {file})" | git credential reject
            git ls-remote {_server.Repository}
            """);

        Assert.That(run.ExitCode, Is.Zero, run.All);
        string first = (await File.ReadAllTextAsync(file)).Trim();
        Assert.That(_job.Emulator.Ledger.Issued.Select(one => one.Fingerprint).ToArray(), Has.Length.EqualTo(2).And.ItemAt(0).EqualTo(Ledger.FingerprintOf(first)).And.ItemAt(1).EqualTo(Ledger.FingerprintOf(_server.Seen.Single().Token)));
    }

    [Test]
    public async Task Git_is_told_of_the_tokens_end_and_has_none_for_another_host()
    {
        ToolRun run = await ExecAsync($"warehouse={_server.Address}", $"""
            printf 'protocol=http\nhost={_server.Address.Authority}\n\n' | git credential fill | grep -E -o '^password_expiry_utc=[0-9]+' || printf 'protocol=http\nhost={_server.Address.Authority}\n\n' | sh -c "$(git config --get-all credential.{_server.Address.GetLeftPart(UriPartial.Authority)}.helper | tail -n 1 | cut -c 2-) get" | grep -E -o '^password_expiry_utc=[0-9]+'
            printf 'protocol=https\nhost=elsewhere.example\n\n' | sh -c "$(git config --get-all credential.{_server.Address.GetLeftPart(UriPartial.Authority)}.helper | tail -n 1 | cut -c 2-) get" || true
            """);

        Assert.That(run.ExitCode, Is.Zero, run.All);
        string[] lines = run.Output.Trim().Split('\n');
        Assert.That(long.Parse(lines[0].Split('=')[1], System.Globalization.CultureInfo.InvariantCulture), Is.GreaterThan(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()));
        Assert.That(lines[1], Is.EqualTo("quit=1"));
        Assert.That(run.Error, Does.Contain($"the helper is for {_server.Address.GetLeftPart(UriPartial.Authority)} alone."));
    }

    [Test]
    public async Task A_port_that_is_the_standard_one_may_be_written()
    {
        ToolRun run = await ExecAsync("warehouse=https://git.example", "printf 'protocol=https\\nhost=git.example:443\\n\\n' | sh -c \"$(git config --get-all credential.https://git.example.helper | tail -n 1 | cut -c 2-) get\" | grep -c '^password='");

        Assert.That((run.ExitCode, run.Output.Trim()), Is.EqualTo((0, "1")), run.All);
    }

    [Test]
    public async Task After_the_job_the_same_environment_gets_git_nothing()
    {
        ToolRun run = await ExecAsync($"warehouse={_server.Address}", $"git ls-remote {_server.Repository}; env -0 > environment");
        Dictionary<string, string> environment = (await File.ReadAllTextAsync(_job.PathOf("environment"))).Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split('=', 2)).ToDictionary(one => one[0], one => one[1]);

        (int code, string said) = await Programs.RunAsync("git", environment, "ls-remote", _server.Repository);

        Assert.That(run.ExitCode, Is.Zero, run.All);
        Assert.That(code, Is.EqualTo(128), said);
        Assert.That(said, Does.Contain("has ended"));
    }

    [Test]
    public async Task An_address_without_TLS_is_refused()
    {
        ToolRun run = await ExecAsync("warehouse=http://git.example", "true");

        Assert.That((run.ExitCode, run.Error.Trim()), Is.EqualTo((2, "--git: 'http://git.example' has no TLS, under which alone a credential is sent, but to loopback. Write https.")));
    }
}
