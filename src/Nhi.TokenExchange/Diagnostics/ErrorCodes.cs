namespace Nhi.TokenExchange;

/// <summary>The one table of error codes; a paragraph each in docs/errors.md. A number is never reused.</summary>
internal static class ErrorCodes
{
    // 1xxx: configuration and composition
    public const string InvalidConfiguration = "NHI1001";
    public const string StaticSecret = "NHI1002";
    public const string UnknownTarget = "NHI1003";
    public const string WrongCredentialKind = "NHI1004";
    public const string CyclicTargets = "NHI1005";
    public const string InvalidPolicy = "NHI1006";
    public const string BrokerFolderUnsafe = "NHI1007";

    // 2xxx: attest
    public const string ProofUnavailable = "NHI2001";
    public const string ProofMalformed = "NHI2002";
    public const string ProofExpired = "NHI2003";
    public const string ProofNotYetValid = "NHI2004";
    public const string ProofForAnotherAudience = "NHI2005";
    public const string ProofOfAPerson = "NHI2006";
    public const string ProofNotKnownToBeAWorkloads = "NHI2007";
    public const string ProofFileUnsafe = "NHI2008";
    public const string SourceFailed = "NHI2009";
    public const string ProofLivesTooLong = "NHI2010";
    public const string FactNotAttested = "NHI2011";
    public const string ProofOfAnotherJob = "NHI2012";

    // 3xxx: authorize
    public const string AccessDenied = "NHI3001";
    public const string PolicyUnavailable = "NHI3002";
    public const string ScopeOutsideTarget = "NHI3003";
    public const string StaticKeyOver = "NHI3004";

    // 4xxx: exchange
    public const string IssuerRefused = "NHI4001";
    public const string IssuerUnreachable = "NHI4002";
    public const string IssuerThrottled = "NHI4003";
    public const string IssuerAnswerMalformed = "NHI4004";
    public const string IssuerAddressRefused = "NHI4005";
    public const string RedirectRefused = "NHI4006";
    public const string DiscoveryFailed = "NHI4007";
    public const string ExchangerFailed = "NHI4008";
    public const string DeadlineExceeded = "NHI4009";
    public const string ReentrantExchange = "NHI4010";
    public const string ProofRefused = "NHI4011";
    public const string RevocationFailed = "NHI4012";
    public const string TooManyKeys = "NHI4013";
    public const string TrustMismatch = "NHI4014";
    public const string TrustNotYetKnown = "NHI4015";
    public const string TenantRefused = "NHI4016";
    public const string ClaimsRefused = "NHI4017";
    public const string WrappedAnswerOpened = "NHI4018";
    public const string NothingToRenew = "NHI4019";

    // 5xxx: verify
    public const string WiderScope = "NHI5001";
    public const string WrongTokenType = "NHI5002";
    public const string DeadOnArrival = "NHI5003";
    public const string CredentialSeenBefore = "NHI5004";
    public const string WrongAudience = "NHI5005";
    public const string ProofReturned = "NHI5006";
    public const string NeverEnds = "NHI5007";
    public const string LivesTooLong = "NHI5008";
    public const string StaticKeyUnfit = "NHI5009";
    public const string LessIsLeft = "NHI5010";

    // 6xxx: record
    public const string NotRecorded = "NHI6001";
    public const string AuditFolderUnsafe = "NHI6002";
    public const string AuditFileChanged = "NHI6003";
    public const string AuditUnfinished = "NHI6004";
    public const string AuditTrailUnreadable = "NHI6010";
    public const string AuditCollectorFails = "NHI6011";
    public const string AuditSpoolFull = "NHI6012";
    public const string AuditEventsRefused = "NHI6013";
    public const string AuditLogLeavesOut = "NHI6014";

    // 7xxx: job
    public const string JobEnded = "NHI7001";
    public const string JobRevoked = "NHI7002";
    public const string JobTookTooLong = "NHI7003";
    public const string JournalUnsafe = "NHI7004";
    public const string JournalUnreadable = "NHI7005";
    public const string JournalOfAnotherHost = "NHI7006";
    public const string JournalNotRecovered = "NHI7007";
    public const string JournalLost = "NHI7008";

    // 8xxx: use of a credential
    public const string OriginRefused = "NHI8001";
    public const string AuthorizationAlreadySet = "NHI8002";
    public const string BoundTokenWanted = "NHI8003";
    public const string CredentialRefused = "NHI8004";
    public const string OpenerFailed = "NHI8005";
}
