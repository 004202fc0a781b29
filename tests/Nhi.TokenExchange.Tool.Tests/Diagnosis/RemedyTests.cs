using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>What doctor says to write instead, where settings are wrong.</summary>
[NonParallelizable]
public class RemedyTests
{
    private DoctoredJob _job = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _job = await DoctoredJob.StartAsync();
        _job.UseDatabricks();
    }

    [TearDown]
    public async Task EndAsync() => await _job.DisposeAsync();

    [TestCase("File", "OidcFile")]
    [TestCase("EnvironmentVariable", "OidcEnvironmentVariable")]
    [TestCase("GitHub", "GitHubActions")]
    public async Task A_part_of_a_kinds_name_is_told_with_the_whole(string said, string meant)
    {
        _job.IdentityEntry["Source"] = said;

        (await _job.DoctorAsync()).AssertNames("settings", "NHI1001", ExitCodes.Configuration, "Identities:job:Source", $"Did you mean {meant}?");
    }

    [Test]
    public async Task What_an_address_looks_like_is_said_where_one_is_missing()
    {
        _job.Target.Remove("Host");

        (await _job.DoctorAsync()).AssertNames("settings", "NHI1001", ExitCodes.Configuration, "Targets:warehouse:Host: is missing. Write an address such as https://name.example.");
    }

    [TestCase("OidcFile", "Path: is missing. Write the whole path of a file.")]
    [TestCase("OidcEnvironmentVariable", "Variable: is missing. Write it: one text.")]
    public async Task What_goes_into_a_missing_setting_is_said(string source, string said)
    {
        _job.Section["Identities"] = new JsonObject { ["job"] = new JsonObject { ["Source"] = source } };

        (await _job.DoctorAsync()).AssertNames("settings", "NHI1001", ExitCodes.Configuration, $"Identities:job:{said}");
    }

    [Test]
    public async Task A_file_in_the_place_of_a_folder_is_said_to_be_one()
    {
        _job.Section["Journal"] = _job.Write("journal", "");

        (await _job.DoctorAsync()).AssertNames("start", "NHI7004", ExitCodes.Configuration, _job.PathOf("journal"), "is a file", "Name a folder");
    }

    [Test]
    public async Task An_issuer_that_is_down_is_no_fault_of_the_proofs_audience()
    {
        using (var free = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0))
        {
            free.Start();
            _job.Target["Host"] = $"http://{free.LocalEndpoint}";
        }

        (await _job.DoctorAsync()).AssertNames("connect", "NHI4002", ExitCodes.Passing, "See that the issuer runs", "Targets:warehouse:Host");
    }

    [Test]
    public async Task A_port_that_speaks_no_TLS_is_told_so()
    {
        _job.Target["Host"] = _job.Emulator.Databricks.Host.OriginalString.Replace("http://", "https://", StringComparison.Ordinal);

        Findings found = await _job.DoctorAsync();

        found.AssertNames("tls", "NHI4002", ExitCodes.Passing, "speaks no TLS", "Targets:warehouse:Host");
        Assert.That(found.Run.Output, Does.Not.Contain("valid certificate"));
    }

    [Test]
    public async Task An_audience_that_is_made_from_an_address_names_the_setting()
    {
        _job.Emulator.JobIdentity(ProofShape.Kubernetes, DoctoredJob.Subject).WriteProofFile(_job.Proof, $"{_job.Emulator.Databricks.TokenEndpoint.OriginalString}/");

        (await _job.DoctorAsync()).AssertNames("audience", "NHI2005", ExitCodes.Refused, "made from Targets:warehouse:Host: one of the two is wrong", "If it is right: Make the source ask");
    }
}
