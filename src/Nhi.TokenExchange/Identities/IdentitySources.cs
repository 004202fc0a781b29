namespace Nhi.TokenExchange;

/// <summary>Makes the identity sources that this package brings.</summary>
public static class IdentitySources
{
    /// <summary>A source that is a function.</summary>
    /// <param name="get">Gets a proof for one audience.</param>
    public static IWorkloadIdentitySource From(Func<SubjectTokenRequest, CancellationToken, ValueTask<SubjectToken>> get)
    {
        ArgumentNullException.ThrowIfNull(get);
        return new DelegateSource(get);
    }

    private sealed class DelegateSource(Func<SubjectTokenRequest, CancellationToken, ValueTask<SubjectToken>> get) : IWorkloadIdentitySource
    {
        public ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken) => get(request, cancellationToken);
    }
}
