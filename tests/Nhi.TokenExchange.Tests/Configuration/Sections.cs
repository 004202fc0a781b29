using System.Text;
using Microsoft.Extensions.Configuration;

namespace Nhi.TokenExchange.Tests.Configuration;

/// <summary>Makes sections and starts jobs of them.</summary>
internal static class Sections
{
    public static Dictionary<string, string?> Good() => new()
    {
        ["Job:Pipeline"] = "orders-nightly",
        ["Job:Purpose"] = "load",
        ["Identities:job:Source"] = "OidcFile",
        ["Identities:job:Path"] = "/var/run/secrets/job/token",
        ["Targets:warehouse:Identity"] = "job",
        ["Targets:warehouse:Exchange"] = "Databricks",
        ["Targets:warehouse:Host"] = "https://workspace.example",
        ["Targets:warehouse:ClientId"] = "6f1c1f3e-0000-4000-8000-00000000beef",
        ["Targets:warehouse:Scopes:0"] = "sql",
        ["Targets:warehouse:MaxLifetime"] = "00:50:00",
    };

    /// <summary>The good section with some settings changed; null takes one out.</summary>
    public static IConfigurationSection With(params (string Key, string? Value)[] changes)
    {
        Dictionary<string, string?> settings = Good();
        foreach ((string key, string? value) in changes)
        {
            if (value is null)
                settings.Remove(key);
            else
                settings[key] = value;
        }
        return Of(settings);
    }

    public static IConfigurationSection Of(Dictionary<string, string?> settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(setting => "TokenExchange:" + setting.Key, setting => setting.Value)).Build().GetSection("TokenExchange");

    public static IConfigurationSection OfJson(string json) =>
        new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build().GetSection("TokenExchange");

    public static SessionPlan Freeze(IConfigurationSection section, Action<TokenExchangeBuilder>? more = null)
    {
        var builder = new TokenExchangeBuilder();
        builder.Configuration(section);
        more?.Invoke(builder);
        return builder.Freeze();
    }

    public static TokenExchangeException Refused(IConfigurationSection section, Action<TokenExchangeBuilder>? more = null)
    {
        try
        {
            Freeze(section, more);
        }
        catch (TokenExchangeException refused)
        {
            return refused;
        }
        throw new AssertionException("The section was taken.");
    }
}
