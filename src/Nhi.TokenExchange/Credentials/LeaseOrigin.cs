namespace Nhi.TokenExchange;

/// <summary>Where leases come from: the target, and what the proofs that they were got with attest of the job.</summary>
/// <remarks>One object for all leases of a target whose proofs say the same, between two changes of the policy (<see cref="TargetRuntime.OriginOf"/>), so that a key pays nothing for it.</remarks>
/// <param name="Owner">The target, which knows how to end them.</param>
/// <param name="Attestation">The job as configuration and proof say it together.</param>
/// <param name="Workload">Who got them, by the first proof.</param>
/// <param name="Era">See <see cref="LeaseSet.Era"/>; seen before the policy was asked.</param>
internal sealed record LeaseOrigin(TargetRuntime Owner, JobAttestation Attestation, Workload Workload, int Era);
