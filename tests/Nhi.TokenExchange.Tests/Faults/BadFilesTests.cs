using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Configuration;
using Nhi.TokenExchange.Tests.Configuration;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>docs/faults.md, settings: files that settings name, and the file that they are written in.</summary>
internal sealed class BadFilesTests : OidcFileFixture
{
    private const string Good = """
        { "TokenExchange": { "Identities": { "job": { "Source": "GitHubActions" } },
          "Targets": { "warehouse": { "Identity": "job", "Exchange": "Databricks", "Host": "https://workspace.example" } } } }
        """;

    private string Pem => Path.Join(Folder, "roots.pem");

    private string Settings => Path.Join(Folder, "appsettings.json");

    [Test]
    public void B24_A_token_file_that_is_missing_or_a_folder_is_named_when_it_is_read()
    {
        IdentityUnavailableException missing = Refused();
        Assert.That((missing.Code, missing.IsTransient), Is.EqualTo((ErrorCodes.ProofUnavailable, true)));
        Assert.That(missing.Message, Does.Contain($"There is no file '{FilePath}'").And.Contain("Check the mount and the path"));

        Directory.CreateDirectory(FilePath);
        IdentityUnavailableException folder = Refused();
        Assert.That((folder.Code, folder.IsTransient), Is.EqualTo((ErrorCodes.ProofFileUnsafe, false)));
        Assert.That(folder.Message, Does.Contain($"'{FilePath}' is a directory, not a regular file. Name the file that the platform writes."));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "modes of Unix")]
    [UnsupportedOSPlatform("windows")]
    public void B25_A_token_file_that_others_can_write_is_refused_with_its_mode_and_the_wanted_one()
    {
        Write(Proofs.With());
        File.SetUnixFileMode(FilePath, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherWrite);

        IdentityUnavailableException refused = Refused();
        Assert.That(refused.Code, Is.EqualTo(ErrorCodes.ProofFileUnsafe));
        Assert.That(refused.Message, Does.Contain($"'{FilePath}' can be written by others than its owner; mode 602, owner ").And.Contain("chmod go-w."));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "modes and links of Unix")]
    [UnsupportedOSPlatform("windows")]
    public void B25_A_token_file_of_another_owner_or_behind_somebody_elses_link_is_refused()
    {
        if (Native.EffectiveUser != 0)
            Assert.Ignore("only root can give a file to another user");
        Write(Proofs.With());
        Native.ChangeOwner(FilePath, 4711);
        Assert.That(Refused().Message, Does.Contain($"'{FilePath}' belongs to user 4711; this is user ").And.Contain("Give the file to the job's user or to root."));

        string elsewhere = Path.Join(Folder, "elsewhere");
        File.WriteAllText(elsewhere, Proofs.With());
        File.Delete(FilePath);
        File.CreateSymbolicLink(FilePath, elsewhere);
        Native.ChangeOwnerOfLink(FilePath, 4711);
        Assert.That(Refused().Message, Does.Contain($"'{FilePath}' is a link made by user 4711; this is user ").And.Contain("Only links of the job's own user or of root are followed."));
    }

    [Test]
    public void B35_A_bundle_of_authorities_is_read_and_added_to_what_code_names()
    {
        using X509Certificate2 file = Certificate("file", isAuthority: true), code = Certificate("code", isAuthority: true), server = Certificate("server", isAuthority: false);
        File.WriteAllText(Pem, file.ExportCertificatePem());

        Assert.That(Sections.Freeze(Sections.With()).Roots, Is.Null);
        AdditionalRoots fromFile = Sections.Freeze(Sections.With(("TrustRoots", Pem))).Roots!;
        AdditionalRoots both = Sections.Freeze(Sections.With(("TrustRoots", Pem)), b => b.TrustRoots([code])).Roots!;
        (bool, bool) Accept(AdditionalRoots roots) => (roots.Accepts(this, file, null, System.Net.Security.SslPolicyErrors.RemoteCertificateChainErrors), roots.Accepts(this, code, null, System.Net.Security.SslPolicyErrors.RemoteCertificateChainErrors));
        Assert.That((Accept(fromFile), Accept(both)), Is.EqualTo(((true, false), (true, true))));
    }

    [Test]
    public void B35_A_bundle_that_is_missing_empty_or_no_authoritys_is_refused()
    {
        BadSettings.IsSaid("TrustRoots", $"names the file '{Pem}', which can't be read (FileNotFoundException)", "Check the path, the mount and the rights of the job's user", ("TrustRoots", Pem));
        BadSettings.IsSaid("TrustRoots", "is not an absolute path", "Write the whole path", ("TrustRoots", "roots.pem"));
        File.WriteAllText(Pem, "");
        BadSettings.IsSaid("TrustRoots", $"names the file '{Pem}', which has no certificate in PEM", "each between BEGIN CERTIFICATE and END CERTIFICATE", ("TrustRoots", Pem));
        using X509Certificate2 server = Certificate("server", isAuthority: false);
        File.WriteAllBytes(Pem, server.RawData);
        BadSettings.IsSaid("TrustRoots", "which has no certificate in PEM", "each between BEGIN CERTIFICATE and END CERTIFICATE", ("TrustRoots", Pem));
        File.WriteAllText(Pem, server.ExportCertificatePem());
        BadSettings.IsSaid("TrustRoots", "whose certificate 'CN=server' is no certificate authority (RFC 5280 §4.2.1.9)", "Give the authority's, not the server's", ("TrustRoots", Pem));
        File.WriteAllText(Pem, PemEncoding.WriteString("CERTIFICATE", server.RawData.AsSpan(0, 40)));
        BadSettings.IsSaid("TrustRoots", "in which a certificate is damaged", "Export it again, in PEM", ("TrustRoots", Pem));
        File.WriteAllText(Pem, new string('#', (1 << 20) + 1));
        BadSettings.IsSaid("TrustRoots", "which has more than 1048576 bytes", "Name a file of PEM certificates", ("TrustRoots", Pem));
    }

    [Test]
    public void B35_A_bundle_with_a_private_key_is_refused()
    {
        using X509Certificate2 root = Certificate("root", isAuthority: true);
        using ECDsa key = root.GetECDsaPrivateKey()!;
        string pem = key.ExportPkcs8PrivateKeyPem();
        File.WriteAllText(Pem, root.ExportCertificatePem() + "\n" + pem);

        BadSettings.IsSaid("NHI1002", "TrustRoots", $"names the file '{Pem}', which holds a private key", "replace that key if anybody else can read the file", ("TrustRoots", Pem));
        Assert.That(Sections.Refused(Sections.With(("TrustRoots", Pem))).ToString(), Does.Not.Contain(pem.Split('\n')[1]));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "modes of Unix")]
    [UnsupportedOSPlatform("windows")]
    public void B35_A_bundle_that_others_can_write_or_that_is_no_file_is_refused()
    {
        using X509Certificate2 root = Certificate("root", isAuthority: true);
        File.WriteAllText(Pem, root.ExportCertificatePem());
        File.SetUnixFileMode(Pem, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite);
        BadSettings.IsSaid("TrustRoots", "can be written by others than its owner (mode 620)", "that its owner alone can write", ("TrustRoots", Pem));
        File.Delete(Pem);
        Native.MakeFifo(Pem);
        BadSettings.IsSaid("TrustRoots", "is a FIFO, not a regular file", "Name a file of PEM certificates", ("TrustRoots", Pem));
    }

    private static IEnumerable<TestCaseData> Taken()
    {
        yield return new TestCaseData(Encoding.UTF8.GetBytes(Good.Replace("\"Identities\"", "// who it is\n\"Identities\"", StringComparison.Ordinal))).SetArgDisplayNames("a comment");
        yield return new TestCaseData(Encoding.UTF8.GetBytes(Good.Replace("\"https://workspace.example\"", "\"https://workspace.example\",", StringComparison.Ordinal))).SetArgDisplayNames("a trailing comma");
        yield return new TestCaseData(Encoding.UTF8.GetPreamble().Concat(Encoding.UTF8.GetBytes(Good)).ToArray()).SetArgDisplayNames("a byte-order mark");
        yield return new TestCaseData(Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes(Good)).ToArray()).SetArgDisplayNames("UTF-16 with its mark");
        yield return new TestCaseData(Encoding.UTF8.GetBytes(Good.Replace("\"Identities\"", "\"$schema\": \"./ConfigurationSchema.json\", \"Identities\"", StringComparison.Ordinal))).SetArgDisplayNames("$schema");
    }

    [TestCaseSource(nameof(Taken))]
    public void B36_What_the_reader_of_JSON_allows_is_taken(byte[] content)
    {
        File.WriteAllBytes(Settings, content);

        Assert.That(Sections.Freeze(FromFile()).Targets.Single().Name, Is.EqualTo("warehouse"));
    }

    [TestCase("{ \"TokenExchange\": {\n \"Job\": { \"Purpose\": \"canary-1\" \"Run\": 1 } } }", 1)]
    [TestCase("{ \"TokenExchange\": {\n \"Job\": { \"Purpose\": \"canary-1\" }", 1)]
    [TestCase("{ \"TokenExchange\":\n {\n \"Job\": { 'Purpose': \"canary-1\" } } }", 2)]
    [TestCase("", 0)]
    public void B36_What_is_no_JSON_is_named_by_file_line_and_position_without_its_text(string content, int line)
    {
        File.WriteAllText(Settings, content);
        Exception refused = Assert.Catch<Exception>(() => FromFile())!;

        // The reader of Microsoft.Extensions.Configuration.Json says it, before a session is made of anything.
        Assert.That(refused, Is.TypeOf<InvalidDataException>().With.Message.Contains(Settings));
        Assert.That(refused.ToString(), Does.Contain($"LineNumber: {line} | BytePositionInLine: ").And.Not.Contain("canary"));
    }

    [Test]
    public void B36_Nesting_without_end_is_refused_in_bounds()
    {
        File.WriteAllText(Settings, string.Concat(Enumerable.Repeat("{\"a\":", 100_000)));

        Assert.That(FromFile, Throws.TypeOf<InvalidDataException>().With.InnerException.InnerException.Message.Contains("maximum configured depth of 64"));
    }

    [Test]
    public void B36_Bytes_that_are_not_UTF_8_are_named_by_setting_and_position()
    {
        File.WriteAllBytes(Settings, Encoding.Latin1.GetBytes(Good.Replace("\"Identities\"", "\"Job\": { \"Purpose\": \"Auszüge\" }, \"Identities\"", StringComparison.Ordinal)));

        Assert.That(Sections.Refused(FromFile()).Message, Does.StartWith("NHI1001 TokenExchange:Job:Purpose: has a character at position 4 that could not be read. Save the file as UTF-8."));
    }

    [TestCase("Run", "run")]
    [TestCase("Run", "Run")]
    public void B29_Keys_that_are_there_twice_are_refused_by_the_reader_of_JSON(string first, string second)
    {
        File.WriteAllText(Settings, $$"""{ "TokenExchange": { "Job": { "{{first}}": "canary", "{{second}}": "canary" } } }""");

        Assert.That(FromFile, Throws.TypeOf<InvalidDataException>().With.Message.Contains(Settings).And.InnerException.Message.Contains($"'TokenExchange:Job:{second}'"));
        Assert.That(() => FromFile(), Throws.Exception.With.Message.Not.Contains("canary"));
    }

    [Test]
    public void B29_A_target_in_two_spellings_of_two_files_is_refused_for_the_one_that_is_no_name()
    {
        // Configuration merges keys without regard to case, and shows the last spelling.
        File.WriteAllText(Settings, Good);
        IConfigurationSection merged = new ConfigurationBuilder().AddJsonFile(Settings)
            .AddInMemoryCollection(new Dictionary<string, string?> { ["TokenExchange:Targets:WAREHOUSE:MaxLifetime"] = "00:10:00" }).Build().GetSection("TokenExchange");

        Assert.That(Sections.Refused(merged).Message, Does.StartWith("NHI1001 TokenExchange:Targets:WAREHOUSE: has a name that is empty, too long or has other characters. Use lower-case letters"));
    }

    [Test]
    public void B29_A_name_declared_in_code_and_in_the_section_is_said_with_both_places() => Assert.That(
        Sections.Refused(Sections.With(), b => b.Target("warehouse", Targets.Databricks(new Uri("https://other.example")), "job").Identity("job", IdentitySources.GitHubActions())).Message,
        Does.Contain("TokenExchange:Targets:warehouse: is declared twice, here and at Targets:warehouse").And.Contain("TokenExchange:Identities:job: is declared twice"));

    [TestCase("Targets:warehouse:MaxLifetime", "Targets:warehouse:MaxLifetime")]
    [TestCase("Targets:warehouse:Scopes:0", "Targets:warehouse:Scopes:0")]
    [TestCase("Targets:warehouse", "Targets:warehouse")]
    [TestCase("Job", "Job")]
    public void B37_A_variable_that_is_set_to_nothing_is_named_and_must_be_unset(string key, string path)
    {
        string prefix = $"NHI{Guid.NewGuid():N}_", variable = $"TokenExchange__{key.Replace(":", "__", StringComparison.Ordinal)}";
        Environment.SetEnvironmentVariable(prefix + variable, "");
        try
        {
            IConfigurationSection section = new ConfigurationBuilder().AddInMemoryCollection(Sections.Good().ToDictionary(setting => "TokenExchange:" + setting.Key, setting => setting.Value))
                .AddEnvironmentVariables(prefix).Build().GetSection("TokenExchange");

            Assert.That(
                Sections.Refused(section).Message,
                Is.EqualTo($"NHI1001 TokenExchange:{path}: is empty, which is not the same as unset. Write a value or take the setting out; an environment variable {variable} that is set to nothing must be unset."));
        }
        finally
        {
            Environment.SetEnvironmentVariable(prefix + variable, null);
        }
    }

    private IConfigurationSection FromFile() => new ConfigurationBuilder().AddJsonFile(Settings).Build().GetSection("TokenExchange");

    private static X509Certificate2 Certificate(string name, bool isAuthority)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
