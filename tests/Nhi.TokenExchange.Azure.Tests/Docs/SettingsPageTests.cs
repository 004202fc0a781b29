using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace Nhi.TokenExchange.Tests;

/// <summary>Each example of docs/azure/settings.md starts a session as it stands on the page.</summary>
[NonParallelizable]
internal sealed partial class SettingsPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Root(), "docs", "azure", "settings.md"));

    private static IEnumerable<TestCaseData> Blocks() =>
        Json().Matches(Page).Select(block => new TestCaseData(block.Groups["json"].Value).SetArgDisplayNames(block.Groups["title"].Value));

    [Test]
    public void Every_example_is_seen() => Assert.That(Blocks().Count(), Is.GreaterThanOrEqualTo(5).And.EqualTo(Page.Split("```json").Length - 1), "one example under each heading");

    [TestCaseSource(nameof(Blocks))]
    public async Task An_example_starts_a_session_and_names_where_its_credentials_go(string json)
    {
        IConfigurationSection section = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build().GetSection("TokenExchange");
        using PodVariables pod = new();

        await using JobSession job = await JobSession.StartAsync(b => b.Azure().Configuration(section).EndOnSignals(false));

        IConfigurationSection[] targets = [.. section.GetSection("Targets").GetChildren()];
        Assert.That(targets, Is.Not.Empty);
        foreach (IConfigurationSection target in targets)
        {
            string[] written = [.. target.GetSection("AllowedOrigins").GetChildren().Select(origin => origin.Value!)];
            Assert.That(written, Is.Not.Empty, target.Path);
            Assert.That(job.Provider<BearerToken>(target.Key).AllowedOrigins.Select(origin => origin.OriginalString), Is.EqualTo(written));
            Assert.That(job.Provider<BearerToken>(target.Key).Scopes.IsEmpty, Is.EqualTo(target["Exchange"] == "ManagedIdentity"), target.Path);
        }
    }

    [Test]
    public async Task The_variables_of_App_Service_start_the_same_session()
    {
        string block = Variables().Match(Page).Groups["lines"].Value;
        Dictionary<string, string?> settings = block.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('=', 2))
            .ToDictionary(pair => pair[0].Replace("__", ":", StringComparison.Ordinal), pair => (string?)pair[1]);   // as AddEnvironmentVariables does
        IConfigurationSection section = new ConfigurationBuilder().AddInMemoryCollection(settings).Build().GetSection("TokenExchange");

        await using JobSession job = await JobSession.StartAsync(b => b.Azure().Configuration(section).EndOnSignals(false));

        Assert.That(settings, Contains.Key("TokenExchange:Targets:lake:Scopes:0"));
        Assert.That(job.Provider<BearerToken>("lake").Scopes.ToString(), Is.EqualTo(settings["TokenExchange:Targets:lake:Scopes:0"]));
    }

    private static string Root()
    {
        DirectoryInfo? above = new(AppContext.BaseDirectory);
        while (above is not null && !File.Exists(Path.Combine(above.FullName, "Nhi.TokenExchange.sln")))
            above = above.Parent;
        return above?.FullName ?? throw new InvalidOperationException("The checkout lies above the test binaries.");
    }

    [GeneratedRegex("## (?<title>[^\n]+)\n(?:(?!\n## ).)*?```json\n(?<json>.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Json();

    [GeneratedRegex("```text\n(?<lines>TokenExchange__.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Variables();

    /// <summary>What the webhook sets in a pod, until disposed.</summary>
    private sealed class PodVariables : IDisposable
    {
        private static readonly (string Name, string Value)[] Pod = [("AZURE_TENANT_ID", EntraCalls.Tenant), ("AZURE_CLIENT_ID", EntraCalls.Client)];

        private readonly string?[] _before = [.. Pod.Select(variable => Environment.GetEnvironmentVariable(variable.Name))];

        public PodVariables()
        {
            foreach ((string name, string value) in Pod)
                Environment.SetEnvironmentVariable(name, value);
        }

        public void Dispose()
        {
            for (int index = 0; index < Pod.Length; index++)
                Environment.SetEnvironmentVariable(Pod[index].Name, _before[index]);
        }
    }
}
