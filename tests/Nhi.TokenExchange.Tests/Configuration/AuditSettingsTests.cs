namespace Nhi.TokenExchange.Tests.Configuration;

/// <summary>The section Audit: a folder, the log, or both.</summary>
internal sealed class AuditSettingsTests
{
    private const string Folder = "/var/lib/audit";

    [Test]
    public void No_section_records_in_the_log() => Assert.That(Described(Sections.Freeze(Sections.With())), Is.EqualTo("LoggerAuditSink; ; none"));

    [Test]
    public void A_folder_is_required_and_takes_the_place_of_the_log()
    {
        SessionPlan plan = Sections.Freeze(Sections.With(("Audit:Folder", Folder)));
        Assert.That(Described(plan), Is.EqualTo("; ; /var/lib/audit"));
        Assert.That((plan.Audit.Folder!.IsRequired, plan.Audit.Folder.PartBytes, plan.Audit.Folder.AnchorEvery), Is.EqualTo((true, 64L << 20, 1000)));
    }

    [Test]
    public void Each_setting_counts()
    {
        SessionPlan plan = Sections.Freeze(Sections.With(("Audit:Folder", Folder), ("Audit:Required", "false"), ("Audit:PartBytes", "1048576"), ("Audit:AnchorEvery", "7"), ("Audit:Log", "true")));
        Assert.That(Described(plan), Is.EqualTo("LoggerAuditSink; ; /var/lib/audit"));
        Assert.That((plan.Audit.Folder!.IsRequired, plan.Audit.Folder.PartBytes, plan.Audit.Folder.AnchorEvery), Is.EqualTo((false, 1L << 20, 7)));
    }

    [Test]
    public void What_code_says_is_added_and_its_folder_wins()
    {
        SessionPlan plan = Sections.Freeze(Sections.With(("Audit:Folder", Folder), ("Audit:AnchorEvery", "7")), b => b.Audit(new RecordingSink()).AuditBestEffort(new RecordingSink()).AuditFolder("/var/lib/other-audit"));
        Assert.That(Described(plan), Is.EqualTo("RecordingSink; RecordingSink; /var/lib/other-audit"));
        Assert.That(plan.Audit.Folder!.AnchorEvery, Is.EqualTo(1000));
    }

    [Test]
    public void A_collector_is_required_and_takes_the_place_of_the_log_and_each_of_its_settings_counts()
    {
        SessionPlan plan = Sections.Freeze(Sections.With(("Audit:Collector:Endpoint", "https://collector.example/events"), ("Audit:Collector:Spool", "/var/lib/spool")));
        Assert.That(Described(plan), Is.EqualTo("; ; none"));
        Assert.That(plan.Audit.Collector! with { Hops = [] }, Is.EqualTo(new AuditCollectorPlan(new Uri("https://collector.example/events"), "/var/lib/spool", true, null, AuditCollectorFormat.JsonLines, 64L << 20, Disk.System)));

        SessionPlan all = Sections.Freeze(Sections.With(
            ("Audit:Collector:Endpoint", "https://collector.example/events"), ("Audit:Collector:Spool", "/var/lib/spool"), ("Audit:Collector:Required", "false"), ("Audit:Collector:Target", "warehouse"),
            ("Audit:Collector:Format", "JsonArray"), ("Audit:Collector:ApiVersion", "2023-01-01"), ("Audit:Collector:SpoolBytes", "1048576"), ("Targets:warehouse:AllowedOrigins:0", "https://collector.example")));
        Assert.That(Described(all), Is.EqualTo("LoggerAuditSink; ; none"), "nothing else has to record");
        Assert.That(all.Audit.Collector! with { Hops = [] }, Is.EqualTo(new AuditCollectorPlan(new Uri("https://collector.example/events?api-version=2023-01-01"), "/var/lib/spool", false, "warehouse", AuditCollectorFormat.JsonArray, 1 << 20, Disk.System)));
    }

    [TestCase("Endpoint", "http://collector.example", "Audit:Collector:Endpoint: is not https")]
    [TestCase("Endpoint", "https://collector.example?key=x", "Audit:Collector:Endpoint: has a query")]
    [TestCase("Spool", "spool", "Audit:Collector:Spool: is not an absolute path")]
    [TestCase("Spool", "/var/lib/audit", "Audit:Collector:Spool: is the folder of the audit's files. Name another: what is sent is taken away there.")]
    [TestCase("Target", "siem", "Audit:Collector:Target: is not among the targets")]
    [TestCase("Target", "warehouse", "Audit:Collector:Target: may not be sent to the collector. Put https://collector.example:443 into the target's AllowedOrigins.")]
    [TestCase("Format", "Csv", "Audit:Collector:Format: is none of the known words")]
    [TestCase("ApiVersion", "1&key=x", "Audit:Collector:ApiVersion: is no version")]
    [TestCase("SpoolBytes", "1000", "Audit:Collector:SpoolBytes: is 1000. Give a number of bytes from 1048576 to 17179869184.")]
    [TestCase("Key", "x", "Audit:Collector:Key")]
    public void A_wrong_setting_of_the_collector_is_named_with_what_to_write(string setting, string value, string said) =>
        Assert.That(
            BadText([.. new (string, string)[] { ("Audit:Folder", Folder), ("Audit:Collector:Endpoint", "https://collector.example"), ("Audit:Collector:Spool", "/var/lib/spool") }.Where(one => one.Item1 != $"Audit:Collector:{setting}"), ($"Audit:Collector:{setting}", value)]),
            Does.Contain(said));

    [TestCase("Folder", "audit", "Audit:Folder: is not an absolute path")]
    [TestCase("Folder", "/var/lib/$NAME/audit", "Audit:Folder: has a variable in it")]
    [TestCase("Required", "perhaps", "Audit:Required")]
    [TestCase("PartBytes", "64 MiB", "Audit:PartBytes: is not a whole number")]
    [TestCase("PartBytes", "1048575", "Audit:PartBytes: is 1048575. Give a number of bytes from 1048576 to 1073741824.")]
    [TestCase("PartBytes", "99999999999999999999", "Audit:PartBytes: is not a whole number")]
    [TestCase("AnchorEvery", "99999999999", "Audit:AnchorEvery: is 2147483647. Give a number of events from 1 to 1000000.")]
    [TestCase("Log", "yes", "Audit:Log")]
    [TestCase("Collectr", "https://collector.example", "Audit:Collectr: is an unknown setting")]
    public void A_wrong_setting_is_named_with_what_to_write(string setting, string value, string said) =>
        Assert.That(BadText(("Audit:Folder", Folder), ($"Audit:{setting}", value)), Does.Contain(said));

    [TestCase("Required", "true")]
    [TestCase("PartBytes", "1048576")]
    [TestCase("AnchorEvery", "10")]
    public void What_is_of_a_folder_needs_one(string setting, string value) =>
        Assert.That(BadText(("Audit:Log", "true"), ($"Audit:{setting}", value)), Does.Contain($"Audit:{setting}: is of a folder, and none is named. Name it: \"Folder\": "));

    [Test]
    public void In_code_a_wrong_number_and_a_wrong_path_are_named()
    {
        string refused = Sections.Refused(Sections.With(), b => b.AuditFolder("audit", o => o.PartBytes = 1)).Message;
        Assert.That(refused, Does.Contain("AuditFolder: is not the absolute path of a folder").And.Contain("AuditFolder:PartBytes: is 1."));
    }

    // A message of many errors has each on lines of its own.
    private static string BadText(params (string Key, string? Value)[] changes) => System.Text.RegularExpressions.Regex.Replace(Sections.Refused(Sections.With(changes)).Message, @"\s+", " ");

    private static string Described(SessionPlan plan) =>
        $"{string.Join(", ", plan.Audit.Required.Select(sink => sink.GetType().Name))}; {string.Join(", ", plan.Audit.BestEffort.Select(sink => sink.GetType().Name))}; {plan.Audit.Folder?.Path ?? "none"}";
}
