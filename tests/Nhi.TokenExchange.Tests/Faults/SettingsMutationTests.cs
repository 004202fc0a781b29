using Nhi.TokenExchange.Tests.Configuration;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Whatever stands in the settings: a session, or one error of ours that names the settings and quotes no secret.</summary>
internal sealed class SettingsMutationTests
{
    private static readonly string[] Names =
    [
        "Job", "Identities", "Targets", "EndWithin", "MaxDuration", "KillSwitch", "Journal", "FailOnUnrevoked", "FromRuntime", "Source", "Exchange", "Identity", "Through", "Actor", "ActsFor", "Path", "Variable", "Host", "AllowHost", "ClientId", "ClientSecret", "AccountId", "Issuer", "TokenEndpoint", "Audiences", "Resources", "Scopes", "MaxLifetime",
        "AllowedOrigins", "SubjectAudience", "Password", "Token", "0", "1", "job", "warehouse", "lake",
    ];

    private static readonly string[] Values =
    [
        "", " ", "job", "lake", "warehouse", "OidcFile", "OidcEnvironmentVariable", "GitHubActions", "Databricks", "Rfc8693", "JwtBearer", "EntraId", "Workload", "00:00:00", "-00:01:00", "1.00:00:00", "10675200.00:00:00", "P1D", "NaN", "\u221e", "https://workspace.example", "http://workspace.example",
        "https://", "https://user:pass@host/", "//host", "https://[::1", "https://host:99999", "https://\u00e9xample", "/var/run/x", "../x", "~", "$HOME/x", "true", "null", "\0", "\ud800",
    ];

    [Test]
    public Task Damaged_settings_come_to_an_error_of_ours_or_a_session() => MutationRun.RunAsync("settings", 4_000, RunAsync);

    private static async Task RunAsync(Mutator chance)
    {
        string canary = $"canary{chance.Hex(20)}";   // as long as a key
        Dictionary<string, string?> settings = Base();
        for (int hits = 1 + chance.Below(4); hits > 0; hits--)
            Hit(settings, chance, canary);
        try
        {
            await using JobSession session = await JobSession.StartAsync(b => b.Configuration(Sections.Of(settings)).EndOnSignals(false));
        }
        catch (TokenExchangeException refused)
        {
            Assert.That((refused.Code[..4], refused.Stage), Is.EqualTo(("NHI1", ExchangeStage.Configure)));
            Assert.That(refused.Message, Does.Contain("TokenExchange"), "which setting");
            Assert.That(refused.Message.Where(c => char.IsControl(c) && c is not ('\r' or '\n')), Is.Empty);
            Assert.That(refused.Message.Length, Is.LessThan(20_000));
            Assert.That(Canary.FindIn(refused.ToString(), canary), Is.Empty, refused.ToString());
        }
    }

    private static Dictionary<string, string?> Base()
    {
        var settings = new Dictionary<string, string?>(Sections.Good(), StringComparer.OrdinalIgnoreCase);   // as all providers have it
        settings["EndWithin"] = "00:00:10";
        settings["Identities:ci:Source"] = "OidcEnvironmentVariable";
        settings["Identities:ci:Variable"] = "CI_TOKEN";
        settings["Identities:ci:ActsFor"] = "Workload";
        settings["Targets:lake:Through"] = "warehouse";
        settings["Targets:lake:Exchange"] = "Rfc8693";
        settings["Targets:lake:Issuer"] = "https://issuer.example";
        settings["Targets:lake:TokenEndpoint"] = "https://issuer.example/token";
        settings["Targets:lake:Audiences:0"] = "lake";
        settings["Targets:lake:AllowedOrigins:0"] = "https://lake.example";
        settings["Targets:files:Identity"] = "ci";
        settings["Targets:files:Exchange"] = "JwtBearer";
        settings["Targets:files:Issuer"] = "https://other.example";
        settings["Targets:files:Resources:0"] = "https://files.example/";
        return settings;
    }

    private static void Hit(Dictionary<string, string?> settings, Mutator chance, string canary)
    {
        string key = chance.OneOf<string>([.. settings.Keys, "Job:Run"]);
        string? value = settings.GetValueOrDefault(key);
        switch (chance.Below(8))
        {
            case 0:
                settings.Remove(key);
                break;
            case 1:
                settings[key] = chance.OneOf<string>(Values);
                break;
            case 2:
                settings[key] = chance.Text(value ?? "x");
                break;
            case 3:
                settings[key] = Secret(chance, canary);
                break;
            case 4:
                settings.Remove(key);
                settings[chance.Text(key)] = value;
                break;
            case 5:
                settings[key + ":" + chance.OneOf<string>(Names)] = chance.OneOf(value, null, chance.OneOf<string>(Values));
                break;
            case 6:
                string[] path = key.Split(':');
                path[chance.Below(path.Length)] = chance.OneOf<string>(Names);
                settings[string.Join(':', path)] = value;
                break;
            default:
                string other = chance.OneOf<string>([.. settings.Keys, key]);
                (settings[key], settings[other]) = (settings.GetValueOrDefault(other), value);
                break;
        }
    }

    // As people paste them: keys of vendors, connection strings, addresses with a password or a signature, tokens.
    private static string Secret(Mutator chance, string canary) => chance.OneOf(
        canary, "dapi" + canary, $"ghp_{canary}", $"Server=x;Password={canary}", $"https://user:{canary}@workspace.example", $"https://workspace.example/?sig={canary}", $"https://workspace.example/{canary}", $"https://{canary}.example",
        AnsweredJob.Jwt("{}", canary: canary), $"Bearer {canary}", $"-----BEGIN PRIVATE KEY-----{canary}", $"{{\"private_key\":\"{canary}\"}}", $"/var/run/{canary}/token", $"${canary}", $" {canary}", $"{canary}\n");
}
