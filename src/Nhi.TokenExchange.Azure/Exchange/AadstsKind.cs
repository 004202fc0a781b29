namespace Nhi.TokenExchange;

/// <summary>What follows from an AADSTS number.</summary>
internal enum AadstsKind
{
    /// <summary>Somebody has to change something, and it is not the trust.</summary>
    Configuration,

    /// <summary>What is presented and what is trusted differ.</summary>
    Trust,

    /// <summary>Another proof may be taken.</summary>
    Proof,

    /// <summary>It may pass by itself.</summary>
    Passing,

    /// <summary>It passes when less is asked.</summary>
    Throttled,

    /// <summary>It passes when this client is silent for minutes.</summary>
    Loop,

    /// <summary>The tenant's policy denies it, finally.</summary>
    Policy,
}
