using Nhi.TokenExchange.Tests.Configuration;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>docs/faults.md, settings: addresses, times, scopes, ids and paths.</summary>
internal sealed class BadValuesTests
{
    private const string W = "Targets:warehouse:";

    [TestCase(W + "Host", "http://workspace.example")]
    [TestCase(W + "Host", "ftp://workspace.example")]
    [TestCase(W + "AllowedOrigins:0", "http://workspace.example")]
    public void B7_An_address_without_https_is_refused(string key, string value) => BadSettings.IsSaid(key, "is not https", "Write https and a host, such as https://warehouse.example; http is for loopback only", (key, value));

    [TestCase("http://localhost:8080")]
    [TestCase("http://127.0.0.1:8080")]
    [TestCase("http://[::1]:8080")]
    public void B7_Loopback_may_do_without(string host) => Assert.That(() => Sections.Freeze(Sections.With((W + "Host", host))), Throws.Nothing);

    [TestCase("https://workspace.example/canary", "has a path")]
    [TestCase("https://workspace.example?o=canary", "has a query")]
    [TestCase("https://workspace.example#canary", "has a fragment")]
    [TestCase("https://canary@workspace.example", "names a user")]
    public void B8_What_is_more_than_a_host_is_named_and_not_shown(string value, string what) =>
        BadSettings.IsSaid(W + "Host", what, "Write https and a host, such as https://warehouse.example, and nothing else", (W + "Host", value));

    [TestCase("workspace.example")]
    [TestCase("placeholder")]
    [TestCase("file:///workspace.example")]
    [TestCase("https:/workspace.example")]
    [TestCase("https:\\\\workspace.example")]
    public void B8_What_is_no_address_is_refused(string value) => BadSettings.IsSaid(W + "Host", "is not an absolute address", "such as https://warehouse.example", (W + "Host", value));

    [TestCase("https://169.254.169.254", "link-local")]
    [TestCase("https://[fe80::1]", "link-local")]
    [TestCase("https://0.0.0.0", "unspecified")]
    [TestCase("https://[::]", "unspecified")]
    [TestCase("https://224.0.0.1", "multicast")]
    [TestCase("https://[::ffff:10.0.0.1]", "mapped")]
    [TestCase("https://2130706433", "is a number in disguise")]
    [TestCase("https://0x7f.1", "is a number in disguise")]
    [TestCase("https://0177.0.0.1", "is a number in disguise")]
    [TestCase("https://127.1", "is a number in disguise")]
    public void B9_An_address_that_no_issuer_has_is_refused(string value, string what) => BadSettings.IsSaid(W + "Host", what, "Write https and a host", (W + "Host", value));

    [TestCase("https://workspace.example.", "has a dot at the end of the host")]
    [TestCase("https://wörkspace.example", "a non-ASCII character at position 9")]
    [TestCase("https://workѕpace.example", "a non-ASCII character at position 12")]
    [TestCase("https://work space.example", "has a space")]
    [TestCase("https://workspace.example\u200b", "at position 25")]
    public void B10_A_host_that_reads_otherwise_than_it_is_says_where(string value, string what) => BadSettings.IsSaid(W + "Host", what, "Write https and a host", (W + "Host", value));

    [Test]
    public void B10_A_control_character_in_a_host_is_named_by_position() => BadSettings.IsSaid(W + "Host", "has a control character at position 25", "Take it out", (W + "Host", "https://workspace.example\u0007"));

    [Test]
    public void B10_Capitals_in_a_host_mean_the_same_host() =>
        Assert.That(Sections.Freeze(Sections.With((W + "Host", "https://WorkSpace.Example"))).Targets[0].Exchanger.Issuer, Is.EqualTo(new Uri("https://workspace.example")));

    [TestCase("https://adb-1.azuredatabricks.net.example.net")]
    [TestCase("https://workspace.cloud.databricks.com.example.net")]
    [TestCase("https://databricks.example")]
    public void B11_A_host_that_calls_itself_Databricks_and_is_elsewhere_must_be_allowed(string host)
    {
        BadSettings.IsSaid(W + "Host", "is not an address of Databricks, though it has the name in it", "repeat the host alone as AllowHost", (W + "Host", host));
        Assert.That(() => Sections.Freeze(Sections.With((W + "Host", host), (W + "AllowHost", new Uri(host).Host))), Throws.Nothing);
    }

    [TestCase("0")]
    [TestCase("65536")]
    [TestCase("-1")]
    [TestCase("99999999999")]
    public void B12_A_port_out_of_range_is_refused(string port) => BadSettings.IsSaid(W + "Host", "port", "Give a port from 1 to 65535, or none", (W + "Host", $"https://workspace.example:{port}"));

    [TestCase("0")]
    [TestCase("-1")]
    [TestCase("-00:10:00")]
    [TestCase("P1D")]
    [TestCase("PT20M")]
    [TestCase("20m")]
    [TestCase("00:60:00")]
    [TestCase("00:20")]
    [TestCase("∞")]
    [TestCase("NaN")]
    [TestCase("3600")]
    [TestCase("٠٠:٢٠:٠٠")]
    [TestCase("canary")]
    public void B13_A_life_that_is_no_time_span_is_refused(string value) =>
        BadSettings.IsSaid(W + "MaxLifetime", "is not a time of the form hh:mm:ss", "Write a time from 00:00:01 to 12:00:00", (W + "MaxLifetime", value));

    [TestCase("00:00:00")]
    [TestCase("12:00:01")]
    [TestCase("24:00:00")]
    [TestCase("1.00:00:00")]
    public void B13_A_life_out_of_range_is_refused(string value) =>
        BadSettings.IsSaid(W + "MaxLifetime", $"is {value}, which is out of its range", "Write a time from 00:00:01 to 12:00:00", (W + "MaxLifetime", value));

    [TestCase("RefreshBefore")]
    [TestCase("RefreshAheadTime")]
    [TestCase("RefreshInterval")]
    [TestCase("ExpirationBuffer")]
    public void B15_When_to_refresh_is_no_setting(string name) =>
        BadSettings.IsSaid(W + name, "is not a setting: when to refresh follows from the life of each credential", "MaxLifetime shortens how long one is handed out", (W + name, "02:00:00"));

    [TestCase("00:00:00")]
    [TestCase("00:05:01")]
    [TestCase("24:00:00")]
    [TestCase("240:00:00")]
    public void B16_A_time_to_end_out_of_range_is_refused_with_the_value_and_the_range(string value) =>
        BadSettings.IsSaid("EndWithin", $"is {value}, which is out of its range", "Write a time from 00:00:01 to 00:05:00", ("EndWithin", value));

    [TestCase("-00:00:01")]
    [TestCase("10")]
    [TestCase("ab:00:00")]
    [TestCase("24:61:00")]
    public void B16_A_time_to_end_that_is_none_is_refused(string value) =>
        BadSettings.IsSaid("EndWithin", "is not a time of the form hh:mm:ss", "Write a time from 00:00:01 to 00:05:00", ("EndWithin", value));

    [TestCase("a b", "at position 1")]
    [TestCase("a\r\nb", "at position 1")]
    [TestCase("canary\"", "at position 6")]
    [TestCase("canary\\", "at position 6")]
    [TestCase("é", "at position 0")]
    public void B17_A_scope_with_a_character_that_scopes_lack_is_named_by_index_and_position(string value, string position) =>
        BadSettings.IsSaid(W + "Scopes:1", position, "Write visible ASCII without quote and backslash, one scope per entry", (W + "Scopes:1", value));

    [Test]
    public void B17_An_empty_scope_a_repeated_one_and_an_empty_list_are_refused()
    {
        BadSettings.IsSaid(W + "Scopes:1", "is empty", "Write a value", (W + "Scopes:1", ""));
        BadSettings.IsSaid(W + "Scopes:1", "repeats an earlier scope", "Write each scope once", (W + "Scopes:1", "sql"));
        BadSettings.IsSaid(W + "Scopes", "is one value", "Write a list with at least one entry", (W + "Scopes:0", null), (W + "Scopes", "sql"));
        Assert.That(
            Sections.Refused(Sections.OfJson("""
                { "TokenExchange": { "Identities": { "job": { "Source": "GitHubActions" } }, "Targets": { "warehouse": { "Identity": "job", "Exchange": "Databricks", "Host": "https://workspace.example", "Scopes": [] } } } }
                """)).Message,
            Does.StartWith("NHI1001 TokenExchange:Targets:warehouse:Scopes: has no entry. Write a list with at least one entry, or take the setting out."));
        Assert.That(Sections.Freeze(Sections.With((W + "Scopes:0", null))).Targets[0].Scopes.IsEmpty, Is.True, "left out is no error");
    }

    [TestCase("orders-canary")]
    [TestCase("00000000-0000-0000-0000-000000000000")]
    [TestCase("6f1c1f3e-0000-4000-8000")]
    public void B18_A_client_id_that_is_no_GUID_is_told_where_to_find_it(string value) =>
        BadSettings.IsSaid(W + "ClientId", "is not the application id of a service principal", "which the workspace shows under Settings, Identity and access, Service principals", (W + "ClientId", value));

    [TestCase("token", "is not an absolute path", "~ and variables are not expanded")]
    [TestCase("./canary", "is not an absolute path", "~ and variables are not expanded")]
    [TestCase("~/canary", "is not an absolute path", "~ and variables are not expanded")]
    [TestCase("$HOME/canary", "is not an absolute path", "~ and variables are not expanded")]
    [TestCase("/run/$USER/canary", "has a variable in it", "nothing is expanded")]
    [TestCase("/run/%USERNAME%/canary", "has a variable in it", "nothing is expanded")]
    [TestCase("/run/canary/", "names a folder", "Write the path of a file")]
    [TestCase("/run/\0canary", "has a control character at position 5", "Take it out")]
    [TestCase("", "is empty, which is not the same as unset", "Write a value or take the setting out")]
    [TestCase(null, "is missing", "Write the whole path of a file")]
    public void B24_A_path_of_a_token_must_be_absolute_and_is_not_expanded(string? value, string what, string remedy) => BadSettings.IsSaid("Identities:job:Path", what, remedy, ("Identities:job:Path", value));
}
