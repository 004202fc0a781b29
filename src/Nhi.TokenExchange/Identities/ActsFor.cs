namespace Nhi.TokenExchange;

/// <summary>For whom an identity is known to act. Proofs of persons are refused, but for the one development switch.</summary>
public enum ActsFor
{
    /// <summary>The proof must show by itself that it is a workload's (default).</summary>
    Proven,

    /// <summary>The configuration vouches that this identity is a workload's; the audit says that it was only asserted.</summary>
    Workload,

    /// <summary>
    /// A person, on his own machine: for development. Code only, no setting; the job's environment must be <c>Development</c>, and policy and audit are
    /// told whenever the proof is a person's.
    /// </summary>
    PersonInDevelopment,
}
