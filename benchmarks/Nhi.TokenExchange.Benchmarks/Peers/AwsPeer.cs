using Amazon.Runtime;

namespace Nhi.TokenExchange;

/// <summary>A subclass of AWS's public base class for credentials that are renewed, with a counted exchange.</summary>
public sealed class AwsPeer(IssuerGate gate) : RefreshingAWSCredentials
{
    public TimeSpan ExpiresIn { get; set; } = TimeSpan.FromHours(1);

    protected override CredentialsRefreshState GenerateNewCredentials() => throw new NotSupportedException("Only the asynchronous way is measured.");

    protected override async Task<CredentialsRefreshState> GenerateNewCredentialsAsync()
    {
        DateTime end = TimeProvider.System.GetUtcNow().UtcDateTime + ExpiresIn;
        await gate.PassAsync();
        return new CredentialsRefreshState(new ImmutableCredentials("access", "secret", "session"), end);
    }
}
