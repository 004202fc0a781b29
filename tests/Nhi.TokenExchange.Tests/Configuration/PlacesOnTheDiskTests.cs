using System.Runtime.Versioning;
using Microsoft.Extensions.Configuration;

namespace Nhi.TokenExchange.Tests.Configuration;

/// <summary>Journal, kill switch, audit and policy are looked for on the disk together with all else that may be wrong, and each error names its setting and the path.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class PlacesOnTheDiskTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("places-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void All_that_is_not_there_is_said_at_once_with_what_else_is_wrong()
    {
        TokenExchangeException refused = Sections.Refused(Sections.With(
            ("Journal", "/nope/deep/journal"), ("KillSwitch", "/nope/kill"), ("Audit:Folder", "/nope/deep/audit"), ("Audit:PartBytes", "5"), ("Policy:File", "/nope/policy.json"), ("Targets:warehouse:MaxLifetime", "30m")));

        Assert.That(refused.Message, Does
            .Contain("NHI7004 TokenExchange:Journal: The folder of journals '/nope/deep/journal' is not there.")
            .And.Contain("TokenExchange:KillSwitch: is in a folder that is not there, or that this user can't see, or can't look into ('/nope/kill').")
            .And.Contain("NHI6002 TokenExchange:Audit:Folder: The folder of the audit '/nope/deep/audit' is not there.")
            .And.Contain("TokenExchange:Audit:PartBytes: is 5")
            .And.Contain("TokenExchange:Policy:File: names '/nope/policy.json', which is not there")
            .And.Contain("TokenExchange:Targets:warehouse:MaxLifetime: is 30m, which is not a time of the form hh:mm:ss."));
    }

    [Test]
    public void A_folder_that_others_may_write_is_said_of_each_setting_that_names_it()
    {
        File.SetUnixFileMode(_folder, (UnixFileMode)0b111_111_111);

        string said = Sections.Refused(Sections.With(("Journal", _folder), ("Audit:Folder", _folder))).Message;

        Assert.That(said, Does.Contain($"NHI7004 TokenExchange:Journal: The folder of journals '{_folder}' can be written by others").And.Contain($"NHI6002 TokenExchange:Audit:Folder: The folder of the audit '{_folder}' can be written by others"));
    }

    [Test]
    public void A_look_makes_nothing()
    {
        Sections.Refused(Sections.With(("Journal", Path.Join(_folder, "journal")), ("Audit:Folder", Path.Join(_folder, "audit")), ("KillSwitch", "/nope/kill")));

        Assert.That(Directory.EnumerateFileSystemEntries(_folder), Is.Empty);
    }

    [Test]
    public void What_code_names_is_said_by_the_call() => Assert.That(
        Sections.Refused(Sections.With(), b => b.Journal("/nope/deep/journal").AuditFolder("/nope/deep/audit")).Message,
        Does.Contain("NHI7004 Journal: The folder of journals").And.Contain("NHI6002 AuditFolder: The folder of the audit"));

    [TestCase("1.00:00:00", "is 1.00:00:00, which is out of its range")]
    [TestCase("12h", "is 12h, which is not a time of the form hh:mm:ss")]
    [TestCase("thirty minutes, or so", "MaxDuration: is not a time of the form hh:mm:ss")]
    public void A_time_that_is_mistyped_is_shown(string value, string said) =>
        Assert.That(Sections.Refused(Sections.With(("MaxDuration", value))).Message, Does.Contain(said));

    [Test]
    public void An_address_with_a_password_is_told_to_be_that_and_what_to_write()
    {
        string said = Sections.Refused(Sections.With(("Targets:warehouse:Host", "https://etl:canary@issuer.example/realm?api_key=canary"))).Message;

        Assert.That(said, Does.Contain("looks like an address with a password").And.Contain("Write the address alone, such as https://host/path: no user, no password, no query.").And.Not.Contain("canary"));
    }

    [Test]
    public void What_code_declares_twice_is_not_said_to_be_at_two_places() => Assert.That(
        Sections.Refused(Sections.With(), b => b.Identity("me", IdentitySources.GitHubActions()).Identity("me", IdentitySources.GitHubActions())).Message,
        Does.Contain("Identities:me: is declared twice in code"));
}
