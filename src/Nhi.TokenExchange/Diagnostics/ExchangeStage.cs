namespace Nhi.TokenExchange;

/// <summary>Where in the flow something failed.</summary>
public enum ExchangeStage
{
    /// <summary>The configuration or the composition is wrong.</summary>
    Configure,

    /// <summary>The job could not prove who it is.</summary>
    Attest,

    /// <summary>The policy denied or could not decide.</summary>
    Authorize,

    /// <summary>The audit could not record.</summary>
    Record,

    /// <summary>The issuer refused, failed or was not reached.</summary>
    Exchange,

    /// <summary>What was issued is not what was asked for.</summary>
    Verify,

    /// <summary>A credential could not be ended.</summary>
    Revoke,

    /// <summary>The job is over.</summary>
    JobEnded,
}
