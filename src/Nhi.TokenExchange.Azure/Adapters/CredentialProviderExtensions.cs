using Azure.Core;

namespace Nhi.TokenExchange;

/// <summary>Turns a provider into what Azure SDK clients insist on.</summary>
public static class CredentialProviderExtensions
{
    /// <summary>
    /// A <see cref="TokenCredential"/> that gives the credential of this target. Where a client can be made without one, prefer
    /// <see cref="ClientOptionsExtensions.AddCredential{TOptions}"/>.
    /// </summary>
    /// <remarks>
    /// <para>It keeps nothing; but the client does. Azure.Core keeps the header, per client, until
    /// <see cref="AccessToken.ExpiresOn"/>, which is <see cref="Credential.UnusableFrom"/>: never later than the exchanger's margin,
    /// policy and job allow; it asks again from <see cref="AccessToken.RefreshOn"/>, which is <see cref="Credential.RefreshAt"/>. So a
    /// request of such a client may still carry an ended credential until then, and a 401 rejects nothing here. From the end of
    /// the job on, this credential throws.</para>
    /// <para>A request must name exactly the target's scopes, a subset of them, or none; others are refused. Targets without scopes, as
    /// those for a managed identity's own token are, say by <paramref name="scopes"/> under which names clients may ask. Compared exactly:
    /// <c>https://storage.azure.com/.default</c> is not <c>https://storage.azure.com//.default</c>. Tenant and claims are passed on and are
    /// part of the key. <see cref="TokenRequestContext.IsCaeEnabled"/> is ignored: a client that declares it gets tokens that
    /// live up to a day, which no longest life of a target allows; a claims challenge is answered all the same. Proof-of-possession
    /// tokens are refused: a bearer token in their place would be less than was asked for.</para>
    /// <para>Failures are <see cref="TokenExchangeException"/>s and reach the caller of a client as they are; Azure.Core does not retry
    /// them. A <c>ChainedTokenCredential</c> goes on to its next member only after a <c>CredentialUnavailableException</c> of
    /// Azure.Identity, which this never throws: a failure here ends the chain, and no other identity steps in.</para>
    /// </remarks>
    /// <param name="provider">Gives the credential; asked on each call. Without a ready one <see cref="TokenCredential.GetToken(TokenRequestContext, CancellationToken)"/> blocks its own caller, holding no lock, until there is one.</param>
    /// <param name="scopes">For a target without scopes: what clients may ask for, such as <c>https://storage.azure.com/.default</c>. Otherwise none, or the target's own.</param>
    /// <exception cref="ArgumentException">The target has other scopes than these, or one is no scope (RFC 6749 §3.3).</exception>
    public static TokenCredential AsTokenCredential(this CredentialProvider<BearerToken> provider, params ReadOnlySpan<string> scopes)
    {
        ArgumentNullException.ThrowIfNull(provider);
        ScopeSet named = ScopeSet.Of(scopes);
        if (!named.IsEmpty && !provider.Scopes.IsEmpty && named != provider.Scopes)
            throw new ArgumentException($"The target '{provider.Target}' has the scopes '{provider.Scopes}'. Name none here, or those.", nameof(scopes));
        return new ProviderTokenCredential(provider, named);
    }
}
