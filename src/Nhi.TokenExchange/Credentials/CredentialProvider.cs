using System.Diagnostics.CodeAnalysis;

namespace Nhi.TokenExchange;

/// <summary>Gives the credential of one target: what job code holds.</summary>
/// <typeparam name="TCredential">The kind of credential, such as <see cref="BearerToken"/>.</typeparam>
/// <remarks>
/// Safe to use from any number of threads. Get one from <see cref="JobSession.Provider{TCredential}(string)"/>; ask it
/// before each use and don't keep the credential. Tests make one by <see cref="CredentialProvider.From{TCredential}"/> or mock this class.
/// Not disposable: the session owns what stands behind it.
/// </remarks>
public abstract class CredentialProvider<TCredential>
    where TCredential : Credential
{
    /// <summary>For mocks.</summary>
    protected CredentialProvider()
        : this("")
    {
    }

    /// <summary>For implementations.</summary>
    /// <param name="target">The name of the target.</param>
    protected CredentialProvider(string target) => Target = target;

    /// <summary>The name of the target, as in the configuration.</summary>
    public string Target { get; }

    /// <summary>The scopes that the target was declared with; empty if none.</summary>
    public virtual ScopeSet Scopes => ScopeSet.Empty;

    /// <summary>The origins (scheme, host, port) that the credential goes to: the target's allowed ones, or its issuer's own. Empty if nothing is known.</summary>
    public virtual IReadOnlyList<Uri> AllowedOrigins => [];

    /// <summary>Gives the credential of this target; issues it if there is none that is still good.</summary>
    /// <param name="cancellationToken">Stops waiting. The exchange itself goes on for other callers.</param>
    /// <returns>A credential that is usable now and for the exchanger's margin more. A hit completes synchronously and allocates nothing.</returns>
    /// <exception cref="AccessDeniedException">The policy said no. Not worth a retry.</exception>
    /// <exception cref="IdentityUnavailableException">The job could not prove who it is.</exception>
    /// <exception cref="TokenExchangeException">The issuer failed and no valid credential is left (see <see cref="TokenExchangeException.IsTransient"/>), or the job has ended.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public abstract ValueTask<TCredential> GetAsync(CancellationToken cancellationToken = default);

    /// <summary>Gives a credential that is narrower than the target's, or for another tenant, or answers a claims challenge.</summary>
    /// <remarks>A target keeps the credentials of 10,000 requests. What makes room for more is not ended, for a caller may be using it: it lives, and takes memory, until it dies, the job ends, or <see cref="JobSession.RevokeCredentialAsync"/> ends it.</remarks>
    /// <param name="request">What differs from the target.</param>
    /// <param name="cancellationToken">Stops waiting. The exchange itself goes on for other callers.</param>
    /// <exception cref="NotSupportedException">This provider has only the one credential.</exception>
    /// <exception cref="TokenExchangeException">As the other overload; also when scopes outside the target's are asked for.</exception>
    public virtual ValueTask<TCredential> GetAsync(CredentialRequest request, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException($"The provider of target '{Target}' takes no varying requests.");

    /// <summary>Gives the credential if it can be had at once: for callers that cannot await, and for adapters.</summary>
    /// <param name="credential">A usable credential, if the answer is true.</param>
    /// <returns>False: call <see cref="GetAsync(CancellationToken)"/>. It may still complete synchronously.</returns>
    public virtual bool TryGet([NotNullWhen(true)] out TCredential? credential)
    {
        credential = null;
        return false;
    }

    /// <summary>Says that the target refused this credential. It is handed out no more; the next call issues a new one.</summary>
    /// <param name="credential">The credential that was refused. One that was replaced in the meantime changes nothing.</param>
    public virtual void Reject(TCredential credential)
    {
    }
}

/// <summary>Makes providers for tests and special cases.</summary>
public static class CredentialProvider
{
    /// <summary>A provider that asks a function each time: no cache, no policy, no audit.</summary>
    /// <typeparam name="TCredential">The kind of credential.</typeparam>
    /// <param name="target">The name of the target.</param>
    /// <param name="get">Gives the credential.</param>
    public static CredentialProvider<TCredential> From<TCredential>(string target, Func<CancellationToken, ValueTask<TCredential>> get)
        where TCredential : Credential
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        ArgumentNullException.ThrowIfNull(get);
        return new DelegateProvider<TCredential>(target, get);
    }

    private sealed class DelegateProvider<TCredential>(string target, Func<CancellationToken, ValueTask<TCredential>> get)
        : CredentialProvider<TCredential>(target)
        where TCredential : Credential
    {
        public override ValueTask<TCredential> GetAsync(CancellationToken cancellationToken = default) => get(cancellationToken);
    }
}
