using System.Globalization;
using System.Runtime.Versioning;
using System.Text.Json;
using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests;

/// <summary>Events go to a collector in batches and in order, by way of a spool that outlives the process.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class AuditCollectorTests : CollectorFixture
{
    private static readonly string[] AJob = ["Attested", "Permitted", "Exchanging", "Issued", "Revoked"];

    [Test]
    public async Task A_job_s_events_arrive_once_and_in_order_each_with_its_place_in_the_chain_and_nothing_stays_in_the_spool()
    {
        await RunAsync();

        Assert.That(Collector.Kinds, Is.EqualTo(AJob));
        JsonElement[] metadata = [.. Collector.Taken.Select(one => one.Event.GetProperty("metadata"))];
        string chain = metadata[0].GetProperty("uid").GetString()!.Split(':')[0];
        Assert.That(metadata.Select(one => one.GetProperty("sequence").GetInt64()), Is.Ordered.And.Unique);
        Assert.That(metadata.Select(one => one.GetProperty("uid").GetString()), Is.EqualTo(metadata.Select(one => string.Create(CultureInfo.InvariantCulture, $"{chain}:{one.GetProperty("sequence").GetInt64()}"))));
        foreach (ReceivedRequest request in Collector.Requests)
        {
            JsonElement[] events = TakingCollector.EventsOf(request);
            Assert.That(request.Headers["Idempotency-Key"], Is.EqualTo($"\"{chain}:{Sequence(events[0])}-{Sequence(events[^1])}\""));
            Assert.That((request.Method, request.Path, request.Headers.ContainsKey("Authorization")), Is.EqualTo(("POST", "/events", false)));
        }
        Assert.That(Files(), Is.Empty);
        Assert.That(Log.Text, Does.Not.Contain("warehouse exchanging"), "the collector has to record; the log does not");
    }

    [Test]
    public async Task Recorded_is_in_the_spool_before_the_credential_is_handed_out_whether_or_not_the_collector_is_there()
    {
        Collector.IsDown = true;
        await using JobSession job = await StartAsync();
        BearerToken credential = await job.Provider<BearerToken>("warehouse").GetAsync();

        string spooled = string.Concat(Files().Select(AuditSpoolText));
        Assert.That(spooled, Does.Contain("\"kind\":\"Issued\"").And.Contain(credential.Fingerprint));
        Assert.That(Files().Select(file => File.GetUnixFileMode(file)), Is.All.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(File.GetUnixFileMode(Spool), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
    }

    [Test]
    public async Task What_a_job_could_not_send_the_next_one_sends_first_and_in_order()
    {
        Collector.IsDown = true;
        await RunAsync();
        await RunAsync();
        Assert.That(Files(), Is.Not.Empty);
        Assert.That(Collector.Taken, Is.Empty);
        Assert.That(Log.Text, Does.Contain("NHI6011").And.Contain("it answered 503").And.Contain("wait for the next start"));
        Collector.IsDown = false;

        await RunAsync();

        Assert.That(Collector.Kinds, Is.EqualTo(AJob.Concat(AJob).Concat(AJob)));
        Assert.That(Collector.Uids, Is.Unique);
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task The_spool_of_a_session_that_runs_is_left_to_it()
    {
        Collector.IsDown = true;
        await using JobSession running = await StartAsync();
        await running.Provider<BearerToken>("warehouse").GetAsync();
        await Eventually.HoldsAsync(() => Log.Text.Contains("NHI6011", StringComparison.Ordinal), "the collector is tried");
        string[] its = Files();
        await RunAsync();

        Assert.That(its, Is.SubsetOf(Files()));
        Collector.IsDown = false;
        await Eventually.HoldsAsync(() => Collector.Kinds.Contains("Issued"), "it is tried again");
        await running.CompleteAsync();
        await running.Released;
        Assert.That(Collector.Kinds, Is.EqualTo(AJob), "its own alone");
        await RunAsync();
        Assert.That(Collector.Kinds, Is.EqualTo(AJob.Concat(AJob).Concat(AJob)));
        Assert.That(Collector.Uids, Is.Unique);
    }

    [Test]
    public async Task A_line_that_a_crash_tore_is_not_sent_and_those_before_it_are()
    {
        Collector.IsDown = true;
        await RunAsync();
        string last = Files()[^1];
        await File.AppendAllTextAsync(last, "{\"seq\":7,\"prev\":\"00");
        Collector.IsDown = false;

        await RunAsync();

        Assert.That(Collector.Kinds, Is.EqualTo(AJob.Concat(AJob)));
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task What_is_no_file_of_a_spool_keeps_no_other_from_being_sent_and_is_left_as_it_is()
    {
        Collector.IsDown = true;
        await RunAsync();
        string garbage = Path.Combine(Spool, "aaa.spool.jsonl"), link = Path.Combine(Spool, "bbb.spool.jsonl");
        await File.WriteAllTextAsync(garbage, "garbage\n");
        File.SetUnixFileMode(garbage, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.CreateSymbolicLink(link, "/etc/passwd");
        Collector.IsDown = false;

        await RunAsync();

        Assert.That(Collector.Kinds, Is.EqualTo(AJob.Concat(AJob)));
        Assert.That(Files(), Is.EqualTo(new[] { garbage, link }));
        Assert.That(Log.Text, Does.Contain("aaa.spool.jsonl").And.Contain("bbb.spool.jsonl").And.Contain("could not be read or sent"));
    }

    [Test]
    public async Task A_line_that_was_changed_is_set_aside_and_told()
    {
        Collector.IsDown = true;
        await RunAsync();
        string first = Files()[0], text = await File.ReadAllTextAsync(first);
        await File.WriteAllTextAsync(first, text.Replace("\"kind\":\"Attested\"", "\"kind\":\"Forged__\"", StringComparison.Ordinal));
        Collector.IsDown = false;

        await RunAsync();

        Assert.That(Collector.Kinds, Is.EqualTo(AJob[1..].Concat(AJob)));
        Assert.That(await File.ReadAllTextAsync(Files().Single()), Does.Contain("Forged__").And.Not.Contain("\"kind\":\"Permitted\""));
        Assert.That(Log.Text, Does.Contain("NHI6013"));
    }

    [Test]
    public async Task The_credential_of_a_target_authenticates_and_one_that_is_refused_is_replaced()
    {
        var issuer = new TestExchanger(TimeProvider.System);
        Collector.Answer = request => request.Headers["Authorization"] == $"Bearer {issuer.Issued.First().Reveal()}" ? ScriptedAnswer.Status(401) : null;
        await using JobSession job = await StartAsync(
            o =>
            {
                o.Target = "warehouse";
                o.Format = AuditCollectorFormat.JsonArray;
                o.ApiVersion = "2023-01-01";
            },
            issuer: issuer);
        await job.Provider<BearerToken>("warehouse").GetAsync();

        await Eventually.HoldsAsync(() => Collector.Kinds.Contains("Issued"), "it is taken with another credential");

        Assert.That(issuer.Issued, Has.Count.GreaterThan(1));
        Assert.That(Collector.Requests.Select(request => request.Path), Is.All.EqualTo("/events?api-version=2023-01-01"));
        Assert.That(Collector.Requests[0].Body, Does.StartWith("[{").And.EndWith("}]"));
        Assert.That(Log.Text, Does.Not.Contain(issuer.Issued.First().Reveal()));
    }

    [Test]
    public async Task A_collector_that_is_not_required_is_told_and_not_waited_for()
    {
        await RunAsync(o => o.IsRequired = false, b => b.Audit(new RecordingSink()));
        Assert.That(Collector.Kinds, Is.EqualTo(AJob));
    }

    private static string AuditSpoolText(string file)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle handle = UnixOpen.ToRead(file);
        byte[] bytes = new byte[RandomAccess.GetLength(handle)];
        return System.Text.Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(handle, bytes, 0));
    }

    private static long Sequence(JsonElement one) => one.GetProperty("metadata").GetProperty("sequence").GetInt64();
}
