namespace Nhi.TokenExchange.Tests;

/// <summary>In which part of a journal's life its process is killed.</summary>
internal enum KillPart
{
    /// <summary>At a line of the journal, while all credentials are got.</summary>
    Issuing,

    /// <summary>After one of them came to the job's code.</summary>
    HandingOut,

    /// <summary>At a line, while those of Vault are renewed.</summary>
    Renewing,

    /// <summary>At a line, while the job ends.</summary>
    Ending,

    /// <summary>The job held all; its recoverer is killed at a line, and the next recovers what is left.</summary>
    Recovering,
}
