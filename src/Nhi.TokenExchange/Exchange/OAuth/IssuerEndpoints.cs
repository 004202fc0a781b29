namespace Nhi.TokenExchange;

/// <summary>Where an issuer is asked.</summary>
internal sealed record IssuerEndpoints(Uri Token, Uri? Revocation);
