namespace Nhi.TokenExchange;

/// <summary>Says at which of doctor's stages an error of a job belongs.</summary>
internal static class FailedStage
{
    public static Stage Of(TokenExchangeException error) => error.Code switch
    {
        ErrorCodes.JobEnded or ErrorCodes.JobRevoked or ErrorCodes.JobTookTooLong or ErrorCodes.JournalUnsafe or ErrorCodes.AuditFolderUnsafe => Stage.Start,
        ErrorCodes.ProofForAnotherAudience => Stage.Audience,
        ErrorCodes.ProofUnavailable or ErrorCodes.ProofFileUnsafe or ErrorCodes.SourceFailed => Stage.Identity,
        ErrorCodes.ScopeOutsideTarget or ErrorCodes.WiderScope or ErrorCodes.WrongAudience => Stage.Scope,
        ErrorCodes.IssuerRefused when error.IssuerError == "invalid_scope" => Stage.Scope,
        ErrorCodes.ProofRefused or ErrorCodes.TrustMismatch or ErrorCodes.TrustNotYetKnown => Stage.Trust,
        ErrorCodes.DeadOnArrival or ErrorCodes.NeverEnds or ErrorCodes.LivesTooLong => Stage.Life,
        _ => error.Stage switch
        {
            ExchangeStage.Configure => Stage.Settings,
            ExchangeStage.Attest => Stage.Claims,
            ExchangeStage.Authorize => Stage.Policy,
            ExchangeStage.Record => Stage.Audit,
            ExchangeStage.JobEnded => Stage.Start,
            ExchangeStage.Revoke => Stage.Revocation,
            _ => Stage.Exchange,
        },
    };
}
