namespace Nhi.TokenExchange;

/// <summary>Ends one credential by its handle, as a recovery does, and tells the job's audit.</summary>
internal static class HandleRevocation
{
    public static async Task<int> RunAsync(JobSettings settings, string target, string handle, string reason, Screen screen, CancellationToken cancellationToken)
    {
        // Before the start, which ends what killed jobs left behind.
        bool isOfAJob = JournaledHandles.Has(settings.Journal, target, handle);
        JobSession session = await JobSession.StartAsync(settings.Compose, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            Revocation ended = await session.Runtime(target).RevokeAsync(handle, cancellationToken).ConfigureAwait(false);
            if (ended == Revocation.NotSupported)
            {
                throw new TokenExchangeException(ErrorCodes.RevocationFailed, ExchangeStage.Revoke, "The issuer ends nothing by a handle.")
                {
                    Target = target, Hint = "Have it ended at the issuer, or wait until it dies.",
                };
            }
            if (ended == Revocation.AlreadyGone && !isOfAJob)
            {
                throw new TokenExchangeException(ErrorCodes.RevocationFailed, ExchangeStage.Revoke, $"The issuer knows nothing by the handle '{ExceptionText.Clean(handle, 300)}', and no journal does: it is mistyped, or what it named has ended.")
                {
                    Target = target, Hint = "Copy the handle from nhi leases list, a report or the audit; nhi audit story says whether it has ended.",
                };
            }
            AuditMoment now = session.Moment;
            await session.Audit.RecordAsync(
                new AuditEvent
                {
                    Kind = AuditEventKind.Revoked, At = now.At, Elapsed = now.Elapsed, SessionId = now.SessionId, FlightId = Guid.Empty, Target = target, Job = session.Context,
                    Issuer = session.Runtime(target).Plan.Exchanger.Issuer.AbsoluteUri, RevocationHandle = handle, Reason = $"by hand: {ExceptionText.Clean(reason, 200)}",
                },
                cancellationToken).ConfigureAwait(false);
            await screen.Output.WriteLineAsync($"{target} {ExceptionText.Clean(handle, 300)}: {(ended == Revocation.Revoked ? "revoked" : "already gone")}").ConfigureAwait(false);
            return ExitCodes.Ok;
        }
    }
}
