namespace Nhi.TokenExchange;

/// <summary>Where leases come from: the target, and what the proofs that they were got with attest of the job.</summary>
/// <remarks>One object for all leases of a target whose proofs say the same, between two changes of the policy (<see cref="TargetRuntime.OriginOf"/>), so that a key pays nothing for it.</remarks>
/// <param name="Owner">The target, which knows how to end them.</param>
/// <param name="Attestation">The job as configuration and proof say it together.</param>
/// <param name="SubjectIssuer">Who signed the workload's proof: of a target that goes through another, the proof of the first one. Null: nobody that is known.</param>
/// <param name="Subject">Whom it names; null: nobody that is known.</param>
/// <param name="Era">See <see cref="LeaseSet.Era"/>; seen before the policy was asked.</param>
internal sealed record LeaseOrigin(TargetRuntime Owner, JobAttestation Attestation, string? SubjectIssuer, string? Subject, int Era);
