namespace Nhi.TokenExchange;

/// <summary>What differs between the national clouds.</summary>
/// <param name="Cloud">Which one.</param>
/// <param name="Hosts">Its login hosts; the first is the preferred one.</param>
/// <param name="PreferredCache">The name under which SDKs keep its tokens.</param>
/// <param name="V1Host">The host in the issuer of version 1 tokens.</param>
/// <param name="ExchangeAudience">What external assertions and managed identity tokens are made out to.</param>
internal sealed record EntraClouds(EntraCloud Cloud, IReadOnlyList<string> Hosts, string PreferredCache, string V1Host, string ExchangeAudience)
{
    // The application id behind api://AzureADTokenExchange, which is the aud of version 2 tokens for it. The other clouds' is not documented; the same is assumed.
    public const string ExchangeApplication = "fb60f99c-7a34-4190-8149-302f77469936";

    // What /common/discovery/instance of the public cloud says; it names the other clouds too.
    public static readonly IReadOnlyList<EntraClouds> All =
    [
        new(EntraCloud.Public, ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"], "login.windows.net", "sts.windows.net", "api://AzureADTokenExchange"),
        new(EntraCloud.UsGovernment, ["login.microsoftonline.us", "login.usgovcloudapi.net"], "login.microsoftonline.us", "sts.windows.net", "api://AzureADTokenExchangeUSGov"),
        new(EntraCloud.China, ["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"], "login.partner.microsoftonline.cn", "sts.chinacloudapi.cn", "api://AzureADTokenExchangeChina"),
    ];

    /// <summary>Every host name that stands for an Entra cloud.</summary>
    public static IReadOnlyList<string> AllHosts { get; } = [.. All.SelectMany(cloud => cloud.Hosts)];

    public string LoginHost => Hosts[0];

    public static EntraClouds Of(EntraCloud cloud) => All.Single(one => one.Cloud == cloud);

    /// <summary>The cloud that a host belongs to; null when it is none of theirs.</summary>
    public static EntraClouds? OfHost(string host) => All.FirstOrDefault(one => one.Hosts.Contains(host, StringComparer.OrdinalIgnoreCase));

    public string IssuerV1(string tenant) => $"https://{V1Host}/{tenant}/";

    public string IssuerV2(string tenant) => $"https://{LoginHost}/{tenant}/v2.0";
}
