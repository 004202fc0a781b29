namespace Nhi.TokenExchange;

/// <summary>The national clouds of Microsoft Entra ID; a directory lives in one of them.</summary>
public enum EntraCloud
{
    /// <summary><c>login.microsoftonline.com</c>, exchange audience <c>api://AzureADTokenExchange</c>.</summary>
    Public,

    /// <summary><c>login.microsoftonline.us</c>, exchange audience <c>api://AzureADTokenExchangeUSGov</c>.</summary>
    UsGovernment,

    /// <summary><c>login.partner.microsoftonline.cn</c>, exchange audience <c>api://AzureADTokenExchangeChina</c>.</summary>
    China,
}
