namespace Nhi.TokenExchange;

/// <summary>Gets the proof of who the job is from the place it runs in: a file, a CI endpoint, a managed identity, a key.</summary>
/// <remarks>
/// Asked anew for each exchange; keep a proof only where the platform itself hands out the same one. Throw
/// <see cref="IdentityUnavailableException"/> with what is missing and what to do; other exceptions are wrapped.
/// A source that is <see cref="IDisposable"/> or <see cref="IAsyncDisposable"/> belongs to whoever made it.
/// </remarks>
public interface IWorkloadIdentitySource
{
    /// <summary>Gets a proof for one audience.</summary>
    /// <param name="request">For whom the proof is, for which job, and whether the last one was refused as expired.</param>
    /// <param name="cancellationToken">Cancelled at the flight's deadline or the job's end.</param>
    /// <exception cref="IdentityUnavailableException">There is no proof to be had.</exception>
    ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken);
}
