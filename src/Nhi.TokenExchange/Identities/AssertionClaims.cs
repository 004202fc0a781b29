namespace Nhi.TokenExchange;

/// <summary>What an assertion says (RFC 7523 §3). <c>jti</c> is made fresh at each signing; <c>iat</c> and <c>nbf</c> are <paramref name="Now"/>.</summary>
/// <param name="Issuer"><c>iss</c>: who makes the assertion; for client authentication the client id.</param>
/// <param name="Subject"><c>sub</c>: whom the token is for; for client authentication the client id again.</param>
/// <param name="Audience"><c>aud</c>: the authorization server, as one text.</param>
/// <param name="Life">From now to <c>exp</c>; whole seconds, from 1 second to 10 minutes.</param>
/// <param name="Now">The wall clock.</param>
/// <param name="Type">The header's <c>typ</c>; null leaves it out.</param>
internal sealed record AssertionClaims(string Issuer, string Subject, string Audience, TimeSpan Life, DateTimeOffset Now, string? Type = "JWT");
