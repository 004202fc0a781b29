using System.Net;

namespace Nhi.TokenExchange;

/// <summary>Posts batches to the collector by the rules of the back channel, with the credential of a target if one is named.</summary>
/// <param name="plan">Where to.</param>
/// <param name="session">Whose back channel, and whose target.</param>
internal sealed class CollectorChannel(AuditCollectorPlan plan, JobSession session)
{
    // A batch is half a mebibyte: who takes longer is down.
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(10);

    // A collector that refuses a new credential, too, refuses whom it names: another one each minute would only fill the spool with the events of its flights.
    private static readonly TimeSpan RejectAgainAfter = TimeSpan.FromMinutes(15);

    private long? _rejectedAt;

    /// <summary>What became of a batch.</summary>
    public enum Answer
    {
        /// <summary>It is the collector's now.</summary>
        Taken,

        /// <summary>Not now, for a reason that says nothing of the batch.</summary>
        Later,

        /// <summary>The batch is too long, or something in it is refused.</summary>
        Refused,
    }

    /// <summary>Posts once, with the few quick tries of the back channel.</summary>
    /// <returns>What became of it, why, and how long the collector wants not to be asked.</returns>
    public async Task<(Answer Answer, string Why, TimeSpan? Wait)> PostAsync(CollectorBatch batch, CancellationToken cancellationToken)
    {
        BearerToken? credential = null;
        try
        {
            using var post = new HttpRequestMessage(HttpMethod.Post, plan.Endpoint) { Content = new ReadOnlyMemoryContent(batch.Body(plan.Format)) };
            post.Content.Headers.TryAddWithoutValidation("Content-Type", plan.Format == AuditCollectorFormat.JsonArray ? "application/json" : "application/x-ndjson");
            post.Headers.TryAddWithoutValidation("Idempotency-Key", $"\"{batch.Key}\"");
            post.Options.Set(IssuerBackchannel.Within, Within);
            RefusalIsWanted.Set(post);
            if (plan.Target is { } target)
            {
                credential = await session.Provider<BearerToken>(target).GetAsync(cancellationToken).ConfigureAwait(false);
                credential.ApplyTo(post.Headers);
            }
            using HttpResponseMessage response = await session.Backchannel.SendAsync(post, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.Unauthorized && credential is not null)
                Reject(credential);
            int status = (int)response.StatusCode;
            string why = FormattableString.Invariant($"it answered {status}");
            return status switch
            {
                >= 200 and < 300 => (Answer.Taken, why, null),
                400 or 413 or 422 => (Answer.Refused, why, null),   // of what was sent
                _ => (Answer.Later, why, RetryAfterHeader.Read(response, session.Plan.Time)),   // of who sent it, of where to, or of the collector itself
            };
        }
        catch (TokenExchangeException failed)
        {
            return (Answer.Later, $"{failed.Code}: {ExceptionText.Clean(failed.Detail, 300)}", failed.RetryAfter);
        }
        catch (Exception failed) when (failed is not OperationCanceledException || !cancellationToken.IsCancellationRequested)   // whatever it is, the events are in the spool
        {
            return (Answer.Later, failed.GetType().Name, null);
        }
    }

    private void Reject(BearerToken credential)
    {
        if (_rejectedAt is { } at && session.Plan.Time.GetElapsedTime(at) < RejectAgainAfter)
            return;
        _rejectedAt = session.Plan.Time.GetTimestamp();
        session.Provider<BearerToken>(plan.Target!).Reject(credential);
    }
}
