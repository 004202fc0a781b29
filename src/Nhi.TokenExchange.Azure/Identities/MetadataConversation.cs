using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Nhi.TokenExchange;

/// <summary>What MSAL says to a host of managed identities in one acquisition: by our rules of time, size and repeats. MSAL never sees a token.</summary>
/// <param name="wire">What sends: follows no redirect, keeps no cookie, uses no proxy.</param>
/// <param name="id">Which identity is asked for.</param>
/// <param name="time">The clock of the job.</param>
/// <param name="mayStart">Whether the machine may still be starting.</param>
internal sealed class MetadataConversation(HttpMessageInvoker wire, AzureManagedIdentityId id, TimeProvider time, bool mayStart) : HttpMessageHandler
{
    private const int MaxBytes = 64 * 1024;

    /// <summary>Why there was no good answer; MSAL wraps it in exceptions of its own.</summary>
    public IdentityUnavailableException? Failure { get; private set; }

    /// <summary>The good answer, and the end of its token; null if there was none.</summary>
    public (MetadataAnswer Answer, DateTimeOffset ExpiresAt)? Good { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(request, MetadataHost.Of(request), cancellationToken).ConfigureAwait(false);
        }
        catch (IdentityUnavailableException failure)
        {
            Failure = failure;
            throw;
        }
    }

    private async Task<HttpResponseMessage> AskAsync(HttpRequestMessage request, MetadataHost host, CancellationToken cancellationToken)
    {
        if (host.IsAPersons)
            throw MetadataRefusal.APersons(host);
        if (host.IsSystemAssignedOnly && !id.IsSystemAssigned)
            throw MetadataRefusal.UserAssigned(id, host.Name);
        MetadataWire.RequireNear(host);
        long started = time.GetTimestamp();
        for (int repeated = 0; ; repeated++)
        {
            (HttpResponseMessage? response, TimeSpan? wait, IdentityUnavailableException? failure) = await TryAsync(request, host, repeated, started, cancellationToken).ConfigureAwait(false);
            if (response is not null)
                return response;
            if (wait is not { } before)
                throw failure!;
            await Task.Delay(before, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<(HttpResponseMessage? Response, TimeSpan? Wait, IdentityUnavailableException? Failure)> TryAsync(
        HttpRequestMessage request, MetadataHost host, int repeated, long started, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(MetadataPatience.OneTry, time);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        DateTimeOffset askedAt = time.GetUtcNow();
        try
        {
            using HttpResponseMessage unread = await wire.SendAsync(request, bounded.Token).ConfigureAwait(false);
            MetadataAnswer answer = await MetadataAnswer.ReadAsync(unread, MaxBytes, bounded.Token).ConfigureAwait(false);
            if (host.Challenges && answer.Status == HttpStatusCode.Unauthorized && request.Headers.Authorization is null)
            {
                ArcKeyFile.Check(host, answer.FileOfChallenge());
                return (answer.ToMessage(), null, null);   // MSAL reads the file, by the same rules, and asks once more
            }
            if (answer.Status == HttpStatusCode.OK)
                throw Taken(answer, host, askedAt);
            TimeSpan? retryAfter = RetryAfterHeader.Read(unread, time);
            return (null, MetadataPatience.After(host, answer.Status, retryAfter, repeated, time.GetElapsedTime(started)), MetadataRefusal.Of(id, host, answer, retryAfter, repeated + 1));
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return (null, MetadataPatience.AfterSilence(host, repeated, time.GetElapsedTime(started)), MetadataRefusal.NoAnswer(host, repeated + 1, "no whole answer in time"));
        }
        catch (HttpRequestException exception) when (exception.InnerException is IdentityUnavailableException refused)
        {
            return (null, null, refused);   // by the wire, before it connected
        }
        catch (Exception exception) when (IsNoConnection(exception) && !cancellationToken.IsCancellationRequested)
        {
            return (null, MetadataPatience.AfterNoConnection(host, time.GetElapsedTime(started)), MetadataRefusal.NoConnection(host, ReasonOf(exception), mayStart));
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.SecureConnectionError && exception.InnerException is AuthenticationException)
        {
            return (null, null, MetadataRefusal.Certificate(host));
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return (null, MetadataPatience.AfterSilence(host, repeated, time.GetElapsedTime(started)), MetadataRefusal.NoAnswer(host, repeated + 1, "the connection broke"));
        }
    }

    // MSAL keeps what it is given in one cache for the process, beside the tokens of its other users and in place of theirs. So it is given nothing.
    private InvalidOperationException Taken(MetadataAnswer answer, MetadataHost host, DateTimeOffset askedAt)
    {
        if (!answer.HasToken)
            throw MetadataRefusal.NotAMetadataService(host, answer);
        Good = (answer, answer.EndCountedFrom(askedAt) ?? throw MetadataRefusal.NoEnd(host));
        return new InvalidOperationException("The token was taken before MSAL saw it.");
    }

    // A connect time-out of the sockets is a cancellation that nobody asked for.
    private static bool IsNoConnection(Exception exception) =>
        exception is OperationCanceledException || (exception as HttpRequestException)?.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
        || exception.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostNotFound };

    private static string ReasonOf(Exception exception) =>
        exception.InnerException is SocketException socket ? socket.SocketErrorCode.ToString() : exception is OperationCanceledException ? "took no connection in time" : "no connection";
}
