using Azure.Core;

namespace Nhi.TokenExchange;

/// <summary>A credential without a cache of its own, so that only the policy's cache is seen.</summary>
public sealed class CountedTokenCredential(IssuerGate gate) : TokenCredential
{
    public static readonly TimeSpan Life = TimeSpan.FromHours(1);
    public static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(40);

    public TimeSpan ExpiresIn { get; set; } = Life;

    public TimeSpan RefreshIn { get; set; } = FreshFor;

    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Only the asynchronous way is measured.");

    public override async ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        var token = new AccessToken("0123456789", now + ExpiresIn, now + RefreshIn);
        await gate.PassAsync();
        return token;
    }
}
