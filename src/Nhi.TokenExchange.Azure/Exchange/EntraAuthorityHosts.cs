namespace Nhi.TokenExchange;

/// <summary>Where Entra ID is asked, by cloud. A proof of one cloud is not taken in another.</summary>
public static class EntraAuthorityHosts
{
    /// <summary>The public cloud: <c>https://login.microsoftonline.com</c>.</summary>
    public static Uri PublicCloud { get; } = new("https://login.microsoftonline.com");

    /// <summary>The cloud of the government of the United States: <c>https://login.microsoftonline.us</c>.</summary>
    public static Uri UsGovernment { get; } = new("https://login.microsoftonline.us");

    /// <summary>The cloud in China: <c>https://login.partner.microsoftonline.cn</c>.</summary>
    public static Uri China { get; } = new("https://login.partner.microsoftonline.cn");

    internal const string PublicSubjectAudience = "api://AzureADTokenExchange";

    /// <summary>The audience that Microsoft recommends for proofs in a cloud, and that managed identities must have. Elsewhere than in the three: that of the public cloud.</summary>
    internal static string SubjectAudienceOf(Uri host) => host.IdnHost switch
    {
        "login.microsoftonline.us" or "login.usgovcloudapi.net" => "api://AzureADTokenExchangeUSGov",
        "login.partner.microsoftonline.cn" or "login.chinacloudapi.cn" => "api://AzureADTokenExchangeChina",
        _ => PublicSubjectAudience,
    };
}
