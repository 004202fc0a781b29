namespace Nhi.TokenExchange;

/// <summary>For whom an identity is known to act. Proofs of persons are refused in any case.</summary>
public enum ActsFor
{
    /// <summary>The proof must show by itself that it is a workload's (default).</summary>
    Proven,

    /// <summary>The configuration vouches that this identity is a workload's; the audit says that it was only asserted.</summary>
    Workload,
}
