namespace Nhi.TokenExchange;

// Single credentials of the job.
public sealed partial class JobSession
{
    /// <summary>Ends one credential of the job: when this returns its task, it is handed out no more, and who asks gets another. What was got with it, by targets that go through its own, lives on, unless its issuer ends the two together, as Vault does a login and its secrets: then that is ended before it, if that does not take long, and got anew, too.</summary>
    /// <param name="credential">A credential that a provider of this job gave.</param>
    /// <param name="reason">Why, and on whose word; for the audit. As of the whole job.</param>
    /// <param name="cancellationToken">Stops waiting; the revocation goes on.</param>
    /// <returns>What is known to be true of it then. <see cref="LeaseEnd.AlreadyGone"/> also where it was ended before, or somebody else is at it: the audit tells how that ended. <see cref="LeaseEnd.Failed"/> is tried again at the job's end.</returns>
    /// <exception cref="ArgumentException">The credential is not of this job.</exception>
    public Task<LeaseEnd> RevokeCredentialAsync(Credential credential, string reason, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(credential);
        ArgumentNullException.ThrowIfNull(reason);
        TargetRuntime owner = OwnerOf(credential);
        owner.Withdraw(credential);   // first: no renewal of it lands after that, so what is revoked below is not handed out again
        owner.DropBehind(credential);
        return Task.Run(() => _ending.EndOneAsync(credential, EndCause.WhyOf("code", reason)), CancellationToken.None).WaitAsync(cancellationToken);
    }

    /// <summary>Ends all that the job holds for one caller, also what was got in the background and nobody has asked for yet: when this returns its task, nothing of it is handed out any more, and what an exchange in the air brings for it is ended when it lands. Who asks for that caller again gets another.</summary>
    /// <remarks>Not ended is what the cache has let go of before: what was too old to be handed out, though it lives on at its issuer, and what had to make room for others. The job's end does that; who has kept such a credential ends it by <see cref="RevokeCredentialAsync"/>. What somebody else is at is not waited for.</remarks>
    /// <param name="caller">Whom it was got for: <see cref="CredentialRequest.Caller"/>.</param>
    /// <param name="reason">Why, and on whose word; for the audit. As of the whole job.</param>
    /// <param name="cancellationToken">Stops waiting; the revocations go on.</param>
    /// <returns>What could not be ended, and is tried again at the job's end.</returns>
    public Task<IReadOnlyList<Credential>> RevokeCallerAsync(CredentialCaller caller, string reason, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(reason);
        Credential[] its = [.. _targets.Values.SelectMany(target => target.WithdrawOf(caller))];   // first, as above
        foreach (Credential one in its)
        {
            one.Lease.Owner!.Withdraw(one);   // leases are found by a hash: another's that is taken for its is ended, and not handed out on
            one.Lease.Owner.DropBehind(one);
        }
        string why = EndCause.WhyOf("code", reason);
        return Task.Run(EndEachAsync, CancellationToken.None).WaitAsync(cancellationToken);

        async Task<IReadOnlyList<Credential>> EndEachAsync()
        {
            LeaseEnd[] ends = await Task.WhenAll(its.Select(one => _ending.EndOneAsync(one, why))).ConfigureAwait(false);
            return [.. its.Where((_, i) => ends[i] == LeaseEnd.Failed)];
        }
    }

    /// <summary>Tells the audit that somebody who proved nothing was refused where the job's credentials are handed on, as by a broker. Whoever can be asked by many tells of the first and then of their number: each call is one event of the audit.</summary>
    /// <remarks>For programs that hand a job's credentials on as <c>TokenBroker</c> does, which calls it itself.</remarks>
    /// <param name="reason">What was wrong, without what was presented. One line.</param>
    /// <param name="caller">Who asked, as the kernel told; null if it did not.</param>
    /// <param name="cancellationToken">Stops waiting; it is recorded all the same.</param>
    /// <returns>Completes when it is recorded; what the audit does not take is in the log.</returns>
    public Task RecordRefusalAsync(string reason, CredentialCaller? caller = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reason);
        return _accounts.NoteRefusal(reason, caller).WaitAsync(cancellationToken);
    }

    /// <summary>Whether a credential of the job is alive, as far as the job knows: not ended, by whomever, and not dead of age.</summary>
    /// <param name="credential">A credential that a provider of this job gave.</param>
    /// <exception cref="ArgumentException">The credential is not of this job.</exception>
    public bool IsAlive(Credential credential)
    {
        ArgumentNullException.ThrowIfNull(credential);
        _ = OwnerOf(credential);
        return LeaseOwnership.IsOpen(Leases.Newest(credential)) && !Leases.IsDead(credential);
    }

    private TargetRuntime OwnerOf(Credential credential) =>
        credential.Lease.Owner is { } owner && owner.Session == this ? owner : throw new ArgumentException("The credential is not of this job.", nameof(credential));
}
