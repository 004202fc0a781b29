namespace Nhi.TokenExchange;

/// <summary>The stages that doctor goes through, in order.</summary>
internal enum Stage
{
    /// <summary>The settings compile.</summary>
    Settings,

    /// <summary>The job starts: journal, audit and kill switch let it.</summary>
    Start,

    /// <summary>Where it runs, and what of that matters.</summary>
    Runtime,

    /// <summary>The identity's source gives a proof.</summary>
    Identity,

    /// <summary>The proof is one of a workload, whole, and good now.</summary>
    Claims,

    /// <summary>The proof is for the issuer.</summary>
    Audience,

    /// <summary>The way goes through a proxy.</summary>
    Proxy,

    /// <summary>The issuer's name is resolved.</summary>
    Dns,

    /// <summary>The issuer takes a connection.</summary>
    Connect,

    /// <summary>The issuer's certificate is good.</summary>
    Tls,

    /// <summary>The policy permits.</summary>
    Policy,

    /// <summary>The audit takes it.</summary>
    Audit,

    /// <summary>The issuer answers the exchange.</summary>
    Exchange,

    /// <summary>The issuer's clock and this machine's agree.</summary>
    Clock,

    /// <summary>The issuer trusts the proof.</summary>
    Trust,

    /// <summary>What is granted is what was asked for.</summary>
    Scope,

    /// <summary>How long the credential lives.</summary>
    Life,

    /// <summary>How it ends.</summary>
    Revocation,

    /// <summary>The three questions.</summary>
    Questions,
}
