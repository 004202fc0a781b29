namespace Nhi.TokenExchange;

/// <summary>Stands for a source that could not be made, so that other errors are found as well. No plan with it is ever used.</summary>
internal sealed class PlaceholderSource : IWorkloadIdentitySource
{
    public static PlaceholderSource Instance { get; } = new();

    public ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("A plan with errors was used.");
}

/// <summary>Stands for an exchanger that could not be made. No plan with it is ever used.</summary>
internal sealed class PlaceholderExchanger : TokenExchanger<BearerToken>
{
    public static PlaceholderExchanger Instance { get; } = new();

    public override Uri Issuer { get; } = new("https://placeholder.example/");

    public override Audience SubjectAudience => default;

    public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("A plan with errors was used.");
}
