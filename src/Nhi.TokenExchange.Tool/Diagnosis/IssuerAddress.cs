namespace Nhi.TokenExchange;

/// <summary>The setting that holds a target's issuer, and whether the audience of its proofs is made from it.</summary>
internal static class IssuerAddress
{
    /// <summary>Whether the audience is an address at the issuer's own host: by default of those that have none of their own, as AWS and Entra ID have.</summary>
    public static bool MakesAudience(TokenExchanger exchanger) =>
        Uri.TryCreate(exchanger.SubjectAudience.ToString(), UriKind.Absolute, out Uri? audience) && string.Equals(audience.Authority, exchanger.Issuer.Authority, StringComparison.OrdinalIgnoreCase);

    /// <summary>The path of the setting, within the job's section.</summary>
    public static string SettingOf(TargetPlan target) => $"Targets:{target.Name}:" + target.Exchanger switch
    {
        DatabricksExchanger => "Host",
        Rfc8693Exchanger or JwtBearerExchanger => "Issuer",
        _ => "Server",
    };
}
