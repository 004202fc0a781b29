namespace Nhi.TokenExchange;

/// <summary>How a client says who it is at an OAuth issuer. By default it says nothing, or only its id; a client secret is not among the ways.</summary>
public sealed class OAuthClientOptions
{
    /// <summary>The <c>client_id</c>; none by default.</summary>
    public string? Id { get; set; }

    /// <summary>Signs an assertion for each request: <c>private_key_jwt</c> (RFC 7523 §2.2). Needs <see cref="Id"/>.</summary>
    public AssertionSigner? Signer { get; set; }

    /// <summary>An identity whose proof is the assertion: the issuer trusts the identity's issuer for this client. Needs <see cref="Id"/>; excludes <see cref="Signer"/>.</summary>
    public IWorkloadIdentitySource? Source { get; set; }

    /// <summary>The <c>aud</c> of the assertion. Default: the issuer identifier, as the revision of RFC 7523 demands; older servers want their token endpoint.</summary>
    public string? AssertionAudience { get; set; }

    /// <summary>The <c>typ</c> of a signed assertion. Default <c>JWT</c>; the revision of RFC 7523 recommends <c>client-authentication+jwt</c>, and OpenIddict takes nothing else.</summary>
    public string AssertionType { get; set; } = "JWT";

    internal ClientAuthentication Freeze(Uri issuer)
    {
        OptionChecks.ClientId(Id, "Client.Id");
        if (Signer is null && Source is null)
            return ClientAuthentication.None(Id);
        if (Signer is not null && Source is not null)
            throw new ArgumentException("Client.Signer and Client.Source are both set. Keep one.");
        if (string.IsNullOrEmpty(Id))
            throw new ArgumentException("A client that sends an assertion needs Client.Id.");
        string audience = AssertionAudience ?? issuer.OriginalString;
        return Signer is not null
            ? ClientAuthentication.PrivateKeyJwt(Id, Signer, audience, AssertionType)
            : ClientAuthentication.Federated(Id, Source!, new Audience(audience));
    }
}
