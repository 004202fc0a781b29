using System.Diagnostics;

namespace Nhi.TokenExchange;

/// <summary>One target of one running job.</summary>
internal abstract class TargetRuntime(JobSession session, TargetPlan plan)
{
    private LeaseOrigin? _origin;

    public JobSession Session { get; } = session;

    public TargetPlan Plan { get; } = plan;

    public string Target => Plan.Name;

    public ExchangeActivities Activities { get; } = new(plan, session.Clock);

    public TargetProofs Proofs => field ??= new TargetProofs(Session, this);

    public TargetMeasurements Measurements { get; } = new(session.Plan.Meter, plan, session.Plan.Time);

    /// <summary>The origin of a lease. As long as proofs say the same and the policy stays, that is one object; a race makes some more, which does no harm.</summary>
    public LeaseOrigin OriginOf(JobAttestation attestation, AttestedProof proof)
    {
        LeaseOrigin? last = _origin;
        int era = Session.Leases.Era;
        bool isSame = last is not null && last.Attestation.SaysTheSameAs(attestation);
        if (isSame && last!.Workload == proof.Workload && last.Era == era)
            return last;
        if (!isSame && attestation.Difference is { } difference && Plan.Through is null)   // when it changes, not at each refresh, and not again at each hop
            Session.Plan.Logger.ProofDiffersFromJob(Target, difference);
        return _origin = new LeaseOrigin(this, attestation, proof.Workload, era);
    }

    /// <summary>The answers about the target's credential.</summary>
    /// <param name="proof">What it would be got with; null before there is a proof.</param>
    public CredentialExposure ExposureBy(AttestedProof? proof) => new(Ask(exchanger => exchanger.ReusableAfterJob), Ask(exchanger => exchanger.VisibleToOperators), HumanTie.Of(this, proof));

    // Somebody else's exchanger may fail, or a mock of one answer null: nothing is got or lost by that.
    private ExposureAnswer Ask(Func<TokenExchanger, ExposureAnswer?> question)
    {
        try
        {
            return question(Plan.Exchanger) ?? ExposureAnswer.Yes("it is not known: the exchanger gave no answer");
        }
        catch (Exception exception)
        {
            return ExposureAnswer.Yes($"it is not known: the exchanger failed with {exception.GetType().Name}");
        }
    }

    /// <summary>Tells the log the answers, as far as they are known when the job starts.</summary>
    public void TellExposure()
    {
        CredentialExposure exposure = ExposureBy(null);
        Session.Plan.Logger.TargetExposure(Target, exposure.ReusableAfterJob, exposure.VisibleToOperators, exposure.TiedToHuman);
        // What an issuer's metadata may still say is not held against it.
        if (!Plan.Exchanger.LearnsMore && (Session.Plan.Policy as PolicyDocument ?? (Session.Plan.Policy as PolicyFile)?.Document) is { } policy)
            PolicyFit.TellExposure(policy, Plan, exposure, Session.Plan.Logger);
    }

    /// <summary>Warns of a static key whose time comes to its end.</summary>
    public void TellOfStaticKey() => (Plan.Exchanger as StaticKeyExchanger)?.Terms.Tell(Target, Session.Clock.Now, Session.Plan.Logger);

    /// <summary>The <see cref="CredentialProvider{TCredential}"/> of the target.</summary>
    public abstract object Provider { get; }

    /// <summary>What the target holds that is good, and what failed last. Changes nothing.</summary>
    public abstract (Credential? Held, FlightFailure? Failure) Look();

    /// <summary>Gives the credential to another target that goes through this one.</summary>
    /// <param name="onlyHeld">Whether nothing is exchanged for it: what is held is enough, once a flight in the air has landed.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public abstract ValueTask<Credential> GetForNextHopAsync(bool onlyHeld, CancellationToken cancellationToken);

    /// <summary>The next hop's issuer refused the credential.</summary>
    public abstract void RejectFromNextHop(Credential credential);

    /// <summary>The credential is handed out no more, nor are its renewals; the next is got at once.</summary>
    public abstract void Withdraw(Credential credential);

    /// <summary>What is held for a caller is handed out no more, nor is what flights in the air bring for it.</summary>
    /// <returns>Its leases that live and that nobody ends.</returns>
    public abstract IReadOnlyList<Credential> WithdrawOf(CredentialCaller caller);

    /// <summary>The credential is handed out no more: its issuer ends it sooner than was known. A flight in the air brings the next. What targets that go through this one got with it, and ends with it, goes likewise.</summary>
    public abstract void Drop(Credential credential);

    /// <summary>The credential is ended, or ends sooner than was known: so does what targets that go through this one got with it, if the issuer ends the two together.</summary>
    public void DropBehind(Credential credential)
    {
        foreach (TargetRuntime behind in Session.Targets)
        {
            if (behind.Plan.Through == Target && behind.Plan.Exchanger.MayEndWithHop)
                behind.DropWhatEndsWith(credential);
        }
    }

    /// <summary>The leases of targets that go through this one, which live and nobody ends, and which their issuer ends with this one's credential.</summary>
    public List<Credential> LiveBehind(Credential credential)
    {
        return Session.Targets.Any(IsBehind) ? Session.Leases.Live(lease => IsBehind(lease.Lease.Owner!) && lease.Lease.Owner!.Plan.Exchanger.EndsWith(lease) == credential.Fingerprint) : [];

        bool IsBehind(TargetRuntime other) => other.Plan.Through == Target && other.Plan.Exchanger.MayEndWithHop;
    }

    /// <summary>What ends with a hop's credential is handed out no more, nor is what flights in the air bring, which may have been got with it.</summary>
    /// <param name="hop">The credential.</param>
    public abstract void DropWhatEndsWith(Credential hop);

    /// <summary>The policy changed: empties all slots.</summary>
    /// <returns>The credentials that were current.</returns>
    public abstract IReadOnlyList<Credential> Invalidate();

    /// <summary>The job ended: no slot gives anything any more.</summary>
    public abstract void End();

    /// <summary>Asks the issuer to end a credential that the caller has taken out of the set.</summary>
    public abstract ValueTask<Revocation> RevokeAsync(Credential credential, CancellationToken cancellationToken);

    /// <summary>Asks the issuer to end what a killed job left behind.</summary>
    /// <param name="handle">What its exchange gave.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <param name="wait">Told while a credential to ask with is got; null: nobody wants to know.</param>
    public abstract ValueTask<Revocation> RevokeAsync(string handle, CancellationToken cancellationToken, OwnCredentialWait? wait = null);
}

/// <summary>One target of one running job: provider, slot, the cache for varying requests, and the pipeline behind them.</summary>
internal sealed class TargetRuntime<T> : TargetRuntime, ISlotOwner<T>
    where T : Credential
{
    private readonly TokenExchanger<T> _exchanger;
    private readonly ExchangePipeline<T> _pipeline;

    public TargetRuntime(JobSession session, TargetPlan plan, TokenExchanger<T> exchanger)
        : base(session, plan)
    {
        _exchanger = exchanger;
        _pipeline = new ExchangePipeline<T>(session, this, exchanger);
        Slot = new ExpiringSlot<T>(this);
        Varying = new ExpiringCache<T>(this);
        Provider = new SlotProvider<T>(this);
    }

    public ExpiringSlot<T> Slot { get; }

    public ExpiringCache<T> Varying { get; }

    public override object Provider { get; }

    public AgreedClock Clock => Session.Clock;

    public long NextFlightNumber() => Session.NextFlightNumber();

    public double Jitter() => Session.Jitter();

    public void Start(ExpiringSlot<T> slot, Flight flight, CredentialRequest? request)
    {
        // A flight belongs to nobody: it takes nothing of its first caller along, neither its context nor its cancellation.
        // Which activity started it, is all that is kept: ExchangeActivities says what for.
        ActivityContext starter = Activity.Current?.Context ?? default;
        TellOfStaticKey();
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _ = Task.Run(() => _pipeline.FlyAsync(slot, flight, request, starter));
    }

    public TokenExchangeException JobEnded() => Session.JobEnded(Target);

    public TokenExchangeException Reentered() =>
        new(ErrorCodes.ReentrantExchange, ExchangeStage.Exchange, "The exchange of this target asks for a credential of this very target.")
        {
            Target = Target, Hint = "Let the identity source or the exchanger use another target, or none.",
        };

    public override (Credential? Held, FlightFailure? Failure) Look()
    {
        SlotState<T> state = Slot.State;
        return (state.AliveAt(Clock), state.Failure);
    }

    public override async ValueTask<Credential> GetForNextHopAsync(bool onlyHeld, CancellationToken cancellationToken)
    {
        if (Slot.TryGet(out T? credential) && Slot.State.Flight is null)
            return credential;
        T? got = onlyHeld ? Slot.State.AliveAt(Clock) : await Slot.GetAsync(null, cancellationToken).ConfigureAwait(false);
        // What is due may be about to die, and the next hop would die with it: wait for its successor; it does only if there is none.
        while (Slot.State.Flight is { } replacing)
        {
            using Flight.Wait wait = replacing.BeginWait() ?? throw Reentered();
            await replacing.Landed.WaitAsync(cancellationToken).ConfigureAwait(false);
            got = onlyHeld ? Slot.State.AliveAt(Clock) : await Slot.GetAsync(null, cancellationToken).ConfigureAwait(false);
            if (replacing.Aim != FlightAim.Renew)   // one that only renews may have left the replacing to this caller
                break;
        }
        return got ?? throw Renewals.NoMore(Target);
    }

    public override void RejectFromNextHop(Credential credential) => Reject((T)credential);

    public void Reject(T credential)
    {
        if (!Slot.Reject(credential) && !Varying.Reject(credential))
            return;
        Measurements.Rejected();
        Session.Plan.Logger.Rejected(Target, credential.Fingerprint);
    }

    public override void Withdraw(Credential credential)
    {
        Slot.Withdraw(state => state.Without((T)credential));
        Varying.Withdraw(state => state.Without((T)credential));
    }

    public override IReadOnlyList<Credential> WithdrawOf(CredentialCaller caller) =>
        [.. Varying.WithdrawOf(caller).SelectMany(key => Session.Leases.LiveOf(this, key)).Distinct()];

    public override void Drop(Credential credential)
    {
        if (!Slot.Reject((T)credential, endsSooner: true))
            Varying.Reject((T)credential, endsSooner: true);
        DropBehind(credential);
    }

    public override void DropWhatEndsWith(Credential hop)
    {
        var over = new HashSet<T>();
        Slot.Withdraw(WithoutWhatEnds);
        Varying.Withdraw(WithoutWhatEnds);
        foreach (T one in over)
            DropBehind(one);

        // What is on its way nobody knows yet; and an exchanger that ties the two does not say with which proof one was got.
        SlotState<T> WithoutWhatEnds(SlotState<T> state)
        {
            if (state.Current is not { } current || (!_exchanger.EndsWithSubjectToken && _exchanger.EndsWith(current) != hop.Fingerprint))
                return state.WithoutFlight();   // what is current was got with another, and stays
            over.Add(current);
            return state.Withdraw();
        }
    }

    public override IReadOnlyList<Credential> Invalidate()
    {
        IEnumerable<Credential> varying = Varying.Invalidate();
        return Slot.Invalidate() is { } current ? [current, .. varying] : [.. varying];
    }

    public override void End()
    {
        Slot.End();
        Varying.End();
    }

    public override ValueTask<Revocation> RevokeAsync(Credential credential, CancellationToken cancellationToken) =>
        _exchanger.RevokeAsync(RevocationOf((T)credential, credential.Lease.Handle), cancellationToken);

    public override ValueTask<Revocation> RevokeAsync(string handle, CancellationToken cancellationToken, OwnCredentialWait? wait = null) =>
        _exchanger.RevokeAsync(RevocationOf(null, handle, wait), cancellationToken);

    private RevocationRequest<T> RevocationOf(T? credential, string? handle, OwnCredentialWait? wait = null) => new()
    {
        Target = Target,
        Credential = credential,
        Handle = handle,
        Subject = async cancellationToken => (await OwnCredentialWait.ForAsync(wait, Proofs.GetAsync(null, cancellationToken)).ConfigureAwait(false)).Token,
        OtherSubject = dead => Plan.Through is { } hop ? Session.OtherOf(Session.Runtime(hop), dead) is BearerToken other ? AttestedProof.OfHop(Session.Runtime(hop), other).Token : null : null,
        Own = async cancellationToken => (T)await OwnCredentialWait.ForAsync(wait, GetForNextHopAsync(onlyHeld: false, cancellationToken).AsTask()).ConfigureAwait(false),
        Backchannel = Session.Backchannel,
        Time = Session.Plan.Time,
    };
}
