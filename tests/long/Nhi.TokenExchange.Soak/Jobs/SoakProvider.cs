namespace Nhi.TokenExchange.Soak;

/// <summary>What callers hold of a target, whatever kind of credential it gives.</summary>
/// <param name="Get">Asks for it.</param>
/// <param name="Reject">Says that the target refused it.</param>
internal sealed record SoakProvider(Func<CancellationToken, Task<Credential>> Get, Action<Credential> Reject)
{
    public static SoakProvider Of<TCredential>(CredentialProvider<TCredential> provider)
        where TCredential : Credential =>
        new(async cancellationToken => await provider.GetAsync(cancellationToken), credential => provider.Reject((TCredential)credential));
}
