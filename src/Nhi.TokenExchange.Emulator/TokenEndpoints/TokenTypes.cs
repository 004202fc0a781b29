namespace Nhi.TokenExchange;

/// <summary>The identifiers of RFC 8693 §2.1, §3 and RFC 7523 §2.1.</summary>
internal static class TokenTypes
{
    public const string ExchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";
    public const string JwtBearerGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    public const string AccessToken = "urn:ietf:params:oauth:token-type:access_token";
    public const string Jwt = "urn:ietf:params:oauth:token-type:jwt";
    public const string IdToken = "urn:ietf:params:oauth:token-type:id_token";
}
