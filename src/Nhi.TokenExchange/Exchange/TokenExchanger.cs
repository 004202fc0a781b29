namespace Nhi.TokenExchange;

/// <summary>Swaps a proof for a credential at one kind of issuer. Derive from <see cref="TokenExchanger{TCredential}"/>.</summary>
public abstract class TokenExchanger
{
    private protected TokenExchanger()
    {
    }

    /// <summary>The issuer, as shown in errors and audit: an absolute URI.</summary>
    public abstract Uri Issuer { get; }

    /// <summary>For whom the proof has to be made.</summary>
    public abstract Audience SubjectAudience { get; }

    /// <summary>How long before its end a credential is handed out no more. Default 10 seconds; more where the target refuses the last seconds of a life.</summary>
    public virtual TimeSpan UsableMargin => TimeSpan.FromSeconds(10);

    /// <summary>Whether a credential dies with the proof it was issued for.</summary>
    public virtual bool EndsWithSubjectToken => false;

    /// <summary>The tenant that is asked where a caller names none, if the issuer has tenants: naming that very one asks for nothing special. Null: every named tenant is special.</summary>
    public virtual string? Tenant => null;

    /// <summary>Whether nothing is exchanged: what the platform gives the workload is itself the credential. Policy and audit are told; nothing can end it before its time.</summary>
    public virtual bool IsPlatformIssued => false;

    /// <summary>Whether a copy of a credential opens anything once the job has ended. Default: yes, since nothing says that the exchanger ends it. The answer may change with what is learnt of the issuer.</summary>
    public virtual ExposureAnswer ReusableAfterJob => ExposureAnswer.Yes("it is not known whether the exchanger ends a credential before its time");

    /// <summary>Whether somebody who runs the platform or the vault can get to see a credential, without being the job. Default: yes, since nothing says that it is not kept anywhere.</summary>
    public virtual ExposureAnswer VisibleToOperators => ExposureAnswer.Yes("it is not known who else can see the credential");

    /// <summary>Whether a job keeps what it holds alive: its life is lengthened when that is due, whether or not somebody asks for it. Such an exchanger exchanges nothing where <see cref="ExchangeRequest.RenewsOnly"/> says so.</summary>
    internal virtual bool RenewsHeld => false;

    /// <summary>Why a credential lives on whose revocation is <see cref="Revocation.NotSupported"/>.</summary>
    internal virtual string WhyNothingEnds => IsPlatformIssued ? "the platform issued it, and ends nothing before its time" : "this issuer ends nothing before its time";

    /// <summary>Whether a handle is ended with a credential of this very target (<see cref="RevocationRequest{TCredential}.Own"/>).</summary>
    internal virtual bool EndsByOwn => false;

    /// <summary>The fingerprint of the hop's credential with which this one ends at the issuer, whatever is asked for it: where that was revoked, this one is gone, too. Null: it lives for itself.</summary>
    /// <param name="credential">A credential of this exchanger.</param>
    internal virtual string? EndsWith(Credential credential) => null;

    /// <summary>Whether what it gives may end at the issuer with the hop's credential that it was got with.</summary>
    internal virtual bool MayEndWithHop => EndsWithSubjectToken;

    /// <summary>The <c>resource</c> and <c>audience</c> values that are asked for, of which a policy may leave fewer (<see cref="ExchangeRequest.Resources"/>). Empty: none, or there is no place for them.</summary>
    internal virtual IReadOnlyList<string> Resources => [];

    /// <summary>The <c>authorization_details</c> that are asked for, of which a policy may leave less (<see cref="ExchangeRequest.AuthorizationDetails"/>). Null: none, or there is no place for them.</summary>
    internal virtual string? AuthorizationDetails => null;

    /// <summary>What is asked for where a target names no scopes; empty where the issuer chooses then.</summary>
    internal virtual ScopeSet DefaultScopes => ScopeSet.Empty;

    /// <summary>Whether who asks for these scopes may be granted those: they are among them, or the issuer has words that contain others.</summary>
    internal virtual bool Contains(ScopeSet asked, ScopeSet others) => others.IsSubsetOf(asked);

    /// <summary>Says what is wrong with the scopes that a target declares, when the job starts, or that a policy leaves; null if nothing is. An issuer that knows no scopes says so: what can't be asked for can't be narrowed.</summary>
    /// <param name="scopes">The target's scopes, or those that are left.</param>
    /// <returns>A sentence without subject, such as "are two; this issuer takes one", that is put behind the setting's name.</returns>
    public virtual string? FlawOf(ScopeSet scopes) => null;

    /// <summary>Whether <see cref="LearnAsync"/> may change an answer about a credential.</summary>
    internal virtual bool LearnsMore => false;

    /// <summary>What the answers rest on that showed in a credential; null if nothing does.</summary>
    internal virtual LearntFact? Learnt => null;

    /// <summary>Reads what the answers about a credential depend on, where it is not known yet.</summary>
    internal virtual ValueTask LearnAsync(HttpMessageInvoker backchannel, TimeProvider time, CancellationToken cancellationToken) => default;

    /// <summary>Says what is wrong with the target's <c>Through</c>; null if nothing is.</summary>
    /// <param name="hop">The exchanger of the target that it names; null if it names an identity instead.</param>
    /// <param name="scopes">The scopes of that target.</param>
    internal virtual string? FlawOfHop(TokenExchanger? hop, ScopeSet scopes) => null;

    /// <summary>What to name as <c>Through</c>, where <see cref="FlawOfHop"/> says something: a sentence without its full stop.</summary>
    internal virtual string HopRemedy => "Name a target with the exchange VaultLogin at the same server";

    /// <summary>The static key that is read instead of an exchange; null if a credential is issued.</summary>
    internal virtual StaticKeyUse? StaticKey => null;

    /// <summary>The longest that a target may hand a credential out, whatever it says itself.</summary>
    internal virtual TimeSpan LongestHandOut => TimeSpan.MaxValue;

    internal abstract Type CredentialType { get; }

    internal abstract TargetRuntime CreateRuntime(JobSession session, TargetPlan plan);
}

/// <summary>Swaps a proof for a credential at one kind of issuer.</summary>
/// <typeparam name="TCredential">The kind of credential that the issuer gives.</typeparam>
/// <remarks>
/// One instance serves one target, from any number of threads. Count a life from the instant before the request was sent.
/// Throw <see cref="TokenExchangeException"/>; other exceptions are wrapped. Make a new credential object for each exchange.
/// </remarks>
public abstract class TokenExchanger<TCredential> : TokenExchanger
    where TCredential : Credential
{
    internal sealed override Type CredentialType => typeof(TCredential);

    /// <summary>Sends the proof to the issuer and reads what it issues.</summary>
    /// <param name="request">The proof, the scopes that the policy left, the job, and the means to send.</param>
    /// <param name="cancellationToken">Cancelled at the flight's deadline or the job's end.</param>
    /// <exception cref="TokenExchangeException">The issuer refused, failed, or answered what can't be used.</exception>
    public abstract ValueTask<Issued<TCredential>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken);

    /// <summary>Ends a credential at the issuer before its time. Default: not supported.</summary>
    /// <param name="request">The credential, or after a crash only its handle.</param>
    /// <param name="cancellationToken">Cancelled at the deadline of the job's end.</param>
    /// <returns>What is known to be true now.</returns>
    /// <exception cref="TokenExchangeException">The issuer could not be asked; tried again while there is time if transient.</exception>
    public virtual ValueTask<Revocation> RevokeAsync(RevocationRequest<TCredential> request, CancellationToken cancellationToken) =>
        new(Revocation.NotSupported);

    internal sealed override TargetRuntime CreateRuntime(JobSession session, TargetPlan plan) =>
        new TargetRuntime<TCredential>(session, plan, this);
}
