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

    /// <summary>A proof in a file that its platform renews: a projected service account token of Kubernetes, a file written by a CI system.</summary>
    /// <remarks>
    /// Read anew for each exchange, so renewal by rename, by link swap or by rewriting is followed. Taken is a regular file of at most 64 KiB that belongs to
    /// the job's user or to root and that nobody else can write (on Windows modes are not checked: the folder's access list rules). One newline at its end is dropped.
    /// A file that is missing, empty or half written is looked at again three times within a second; a proof that has ended, once after a second.
    /// </remarks>
    /// <param name="path">Absolute; <c>~</c> and variables are not replaced.</param>
    /// <param name="options">Kind of token, JSON field, modes; null for the defaults.</param>
    /// <exception cref="ArgumentException">The path is not absolute.</exception>
    public static IWorkloadIdentitySource OidcFile(string path, OidcFileOptions? options = null) => new OidcFileSource(path, options ?? new OidcFileOptions());

    /// <summary>A proof in an environment variable: GitLab's <c>id_tokens</c>, Bitbucket, CircleCI, HCP Terraform.</summary>
    /// <remarks>Read at each use, but a variable is not renewed in a running process: once the proof has ended, there is no other. Prefer a source that can be asked again.</remarks>
    /// <param name="name">Its name, case and all.</param>
    /// <exception cref="ArgumentException">The name is empty, or has a <c>=</c>.</exception>
    public static IWorkloadIdentitySource OidcEnvironmentVariable(string name) => new OidcEnvironmentVariableSource(name);

    /// <summary>The ID token of a GitHub Actions job, for the audience that the target wants. The job needs <c>permissions: id-token: write</c>.</summary>
    public static IWorkloadIdentitySource GitHubActions() => new GitHubActionsSource();

    /// <summary>An assertion that a function of yours signs (RFC 7523 §2.1). Declare the identity with <see cref="ActsFor.Workload"/>: it asserts, it doesn't prove.</summary>
    /// <param name="sign">Gives a compact JWS with the audience and life that it is asked for, and a new <c>jti</c> each time.</param>
    public static IWorkloadIdentitySource FederatedAssertion(Func<AssertionRequest, CancellationToken, ValueTask<string>> sign)
    {
        ArgumentNullException.ThrowIfNull(sign);
        return new FederatedAssertionSource(sign);
    }

    /// <summary>An assertion that the library builds and a key signs (RFC 7523 §2.1): good for 75 seconds, with a new <c>jti</c> each time. Declare the identity with <see cref="ActsFor.Workload"/>.</summary>
    /// <param name="signer">The key; see <see cref="AssertionSigner"/>.</param>
    /// <param name="issuer"><c>iss</c>: under which name the issuer knows the key.</param>
    /// <param name="subject"><c>sub</c>: who the job is.</param>
    public static IWorkloadIdentitySource FederatedAssertion(AssertionSigner signer, string issuer, string subject)
    {
        ArgumentNullException.ThrowIfNull(signer);
        ArgumentException.ThrowIfNullOrEmpty(issuer);
        ArgumentException.ThrowIfNullOrEmpty(subject);
        return new FederatedAssertionSource(signer, issuer, subject);
    }

    private sealed class DelegateSource(Func<SubjectTokenRequest, CancellationToken, ValueTask<SubjectToken>> get) : IWorkloadIdentitySource
    {
        public ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken) => get(request, cancellationToken);
    }
}
