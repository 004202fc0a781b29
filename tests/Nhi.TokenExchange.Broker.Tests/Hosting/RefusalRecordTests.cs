using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace Nhi.TokenExchange.Tests;

/// <summary>Who was refused leaves a trace: each in the metrics, and in the log as many as somebody may read.</summary>
[NonParallelizable]   // the meter is the process's
internal sealed class RefusalRecordTests
{
    private static async Task<int> AskAsync(HttpClient http, Action<HttpRequestMessage> change)
    {
        using var get = new HttpRequestMessage(HttpMethod.Get, "aws/archive");
        change(get);
        using HttpResponseMessage response = await http.SendAsync(get);
        return (int)response.StatusCode;
    }

    private static string[] Lines(BrokerJob job) => [.. job.Log.GetSnapshot().Where(record => record.Level == LogLevel.Warning).Select(record => record.Message)];

    [Test]
    public async Task A_wrong_token_a_wrong_host_and_a_browser_are_counted_and_logged_with_who_asked()
    {
        using var refused = new MetricCollector<long>(null, "Nhi.TokenExchange", "nhi.broker.refusals");
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();

        int[] answered =
        [
            await AskAsync(http, get => get.Headers.TryAddWithoutValidation("Authorization", "x")),
            await AskAsync(http, get => get.Headers.Host = "attacker.example"),
            await AskAsync(http, get => get.Headers.TryAddWithoutValidation("Origin", "https://attacker.example")),
        ];

        Assert.That(answered, Is.EqualTo(new[] { 401, 421, 403 }));
        Assert.That(refused.GetMeasurementSnapshot().Select(one => (one.Value, one.Tags["nhi.broker.protocol"], one.Tags["nhi.outcome"])), Is.EqualTo(new (long, object?, object?)[]
        {
            (1, "aws_container", "unproven"), (1, "none", "wrong_host"), (1, "none", "forbidden"),
        }));
        Assert.That(Lines(job), Has.Length.EqualTo(3).And.All.StartsWith("Refused with ").And.All.Contains("somebody on loopback"));
    }

    [Test]
    public async Task A_flood_of_refusals_is_counted_whole_and_logged_in_part()
    {
        var time = new ManualTimeProvider();
        using var refused = new MetricCollector<long>(null, "Nhi.TokenExchange", "nhi.broker.refusals");
        await using BrokerJob job = await BrokerJob.StartAsync(time: time);
        using HttpClient http = job.NewClient();

        for (int i = 0; i < 150; i++)
            await AskAsync(http, get => get.Headers.TryAddWithoutValidation("Authorization", "x"));

        Assert.That(refused.GetMeasurementSnapshot().Sum(one => one.Value), Is.EqualTo(150));
        Assert.That(Lines(job), Has.Length.EqualTo(100));
        time.Advance(TimeSpan.FromMinutes(1));
        await AskAsync(http, get => get.Headers.TryAddWithoutValidation("Authorization", "x"));
        Assert.That(Lines(job)[100..], Is.EqualTo(new[] { "50 more were refused within a minute; the metrics count each", Lines(job)[0] }));
    }

    [Test]
    public async Task The_audit_has_who_proved_nothing_the_first_of_a_minute_and_how_many_more()
    {
        var time = new ManualTimeProvider();
        BrokerJob job = await BrokerJob.StartAsync(time: time);
        await using (job)
        {
            using HttpClient http = job.NewClient();
            for (int i = 0; i < 3; i++)
                await AskAsync(http, get => get.Headers.TryAddWithoutValidation("Authorization", "x"));
            await AskAsync(http, get => get.Method = HttpMethod.Put);   // proves nothing either
            time.Advance(TimeSpan.FromMinutes(1));
            await AskAsync(http, get => get.Headers.TryAddWithoutValidation("Origin", "https://attacker.example"));
            await AskAsync(http, get => get.Headers.Host = "attacker.example");
        }

        AuditEvent[] told = [.. job.Audit.Events.Where(e => e.Kind == AuditEventKind.CallerRefused)];
        Assert.That(told.Select(e => e.Reason), Is.EquivalentTo(new[]
        {
            "the token in the header Authorization is none of this broker's (AWS container credentials)", "3 more requests that proved nothing were refused within a minute",
            "a request with the header Origin is refused: it comes from a browser or through a proxy (none)", "1 more requests that proved nothing were refused within a minute",
        }));
        if (OperatingSystem.IsLinux())
            Assert.That(told[0].Caller, Is.EqualTo(new CredentialCaller("unproven", "unproven", Environment.ProcessId, Peer.CurrentUser)));
    }

    [Test]
    public async Task A_number_of_refusals_is_told_when_the_minute_is_over_though_nobody_asks_again()
    {
        var time = new ManualTimeProvider();
        await using BrokerJob job = await BrokerJob.StartAsync(time: time);
        using HttpClient http = job.NewClient();
        for (int i = 0; i < 3; i++)
            await AskAsync(http, get => get.Headers.TryAddWithoutValidation("Authorization", "x"));

        time.Advance(TimeSpan.FromMinutes(1));

        await Eventually.HoldsAsync(() => job.Audit.Events.Any(e => e.Reason == "2 more requests that proved nothing were refused within a minute"), "how many more there were");
    }

    [Test]
    public async Task How_many_more_were_refused_is_in_the_audit_of_a_job_that_ends_before_its_broker()
    {
        BrokerJob job = await BrokerJob.StartAsync(time: new ManualTimeProvider());
        await using (job)
        {
            using HttpClient http = job.NewClient();
            for (int i = 0; i < 3; i++)
                await AskAsync(http, get => get.Headers.TryAddWithoutValidation("Authorization", "x"));
            await job.Session.CompleteAsync();
        }

        Assert.That(job.Audit.Events.Select(e => e.Reason), Has.Some.EqualTo("2 more requests that proved nothing were refused within a minute"));
    }

    [Test]
    public async Task Another_user_has_an_event_of_his_own_though_one_of_this_user_was_refused_before()
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root")
            Assert.Ignore("Only root can start a process as another user.");
        await using BrokerJob job = await BrokerJob.StartAsync(time: new ManualTimeProvider());
        using HttpClient http = job.NewClient();
        await AskAsync(http, get => get.Headers.TryAddWithoutValidation("Authorization", "x"));

        using var other = System.Diagnostics.Process.Start("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "curl", "--silent", "--noproxy", "*", new Uri(job.Broker.Address, "nothing").AbsoluteUri]);
        await other.WaitForExitAsync();

        await Eventually.HoldsAsync(() => job.Audit.Events.Any(e => e.Kind == AuditEventKind.CallerRefused && e.Caller?.UserId == 65534), "who else asked");
    }

    [Test]
    public async Task A_client_that_proved_itself_has_a_line_though_strangers_have_filled_theirs()
    {
        await using BrokerJob job = await BrokerJob.StartAsync(time: new ManualTimeProvider());
        using HttpClient http = job.NewClient();
        for (int i = 0; i < 110; i++)
            await AskAsync(http, get => get.Headers.TryAddWithoutValidation("Authorization", "x"));

        (int status, _) = await http.PostAsync("oauth2/token", OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment), "https://elsewhere.example"));

        Assert.That((status, Lines(job)[^1]), Is.EqualTo((400, Lines(job)[100])));
        Assert.That(Lines(job)[100], Does.Contain("'https://elsewhere.example' is not handed out here"));
    }
}
