namespace Nhi.TokenExchange;

/// <summary>What <c>nhi</c> ends with. Documented on its page; scripts depend on it.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>Something unforeseen.</summary>
    public const int Unexpected = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Settings, or a file that they name, are wrong.</summary>
    public const int Configuration = 3;

    /// <summary>The policy said no.</summary>
    public const int Denied = 4;

    /// <summary>There is no proof, it is not good, or the issuer refused.</summary>
    public const int Refused = 5;

    /// <summary>It may pass by itself: try again.</summary>
    public const int Passing = 6;

    /// <summary>The audit does not hold, is not there, or can't be written or read.</summary>
    public const int Audit = 7;

    /// <summary>What should be ended was not.</summary>
    public const int Unrevoked = 8;

    /// <summary>The job was ended: by its kill switch, or by its longest time.</summary>
    public const int Ended = 9;

    /// <summary>The code for an error of the library.</summary>
    public static int Of(TokenExchangeException error) => error switch
    {
        { Stage: ExchangeStage.Record } => Audit,
        { Stage: ExchangeStage.Configure } => Configuration,
        { Stage: ExchangeStage.JobEnded } => Ended,
        AccessDeniedException => Denied,
        { Code: ErrorCodes.IssuerUnreachable } => Passing,
        { Stage: ExchangeStage.Attest } => Refused,   // passing to a job that goes on and asks its source again; a command that is run again finds the same file
        { IsTransient: true } => Passing,
        { Stage: ExchangeStage.Authorize } => Denied,
        { Code: ErrorCodes.RevocationFailed } => Unrevoked,
        _ => Refused,
    };
}
