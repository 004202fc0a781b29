namespace Nhi.TokenExchange;

/// <summary>What the policy left of a request: the question that the answer is checked against.</summary>
internal sealed record Grant
{
    // Half of the life, at most 20 minutes: an issuer's outage of that length is not felt.  60 min → 20 min; 8 min → 4 min; 40 s → 20 s.
    private static readonly TimeSpan LongestLead = TimeSpan.FromMinutes(20);

    // The refresh comes up to a tenth of the lead early: jobs that started together don't come back together.
    private const double JitterShare = 0.1;
    // Milliseconds: more than slewing and the time between two looks at the clocks make.
    private const long MostAhead = 1000;

    // Issuers tell lives and ends in whole seconds.
    private static readonly TimeSpan Rounding = TimeSpan.FromSeconds(1);

    /// <summary>Whose grant it is, and what the proof attests.</summary>
    public required LeaseOrigin Origin { get; init; }

    public ScopeSet Scopes => Asked.Scopes;

    /// <summary>What the issuer is asked for.</summary>
    public required AskedFor Asked { get; init; }

    /// <summary>The only names that the credential may be for; null if the policy names none.</summary>
    public IReadOnlyList<string>? Resources { get; init; }

    /// <summary>The authorization details that the policy left; null if it limits none.</summary>
    public string? AuthorizationDetails { get; init; }

    public string? Tenant { get; init; }

    /// <summary>The answers about the credential that the policy decided on.</summary>
    public required CredentialExposure Exposure { get; init; }

    /// <summary>The rule that permitted.</summary>
    public required string Rule { get; init; }

    /// <summary>The rules that were in force.</summary>
    public required string PolicyRevision { get; init; }

    public required TimeSpan MaxLifetime { get; init; }

    /// <summary>The rule that permits no life beyond <see cref="MaxLifetime"/>; null if the hand-out alone is limited.</summary>
    public string? RefusesLongerLife { get; init; }

    /// <summary>When the permit is over; null if it holds until the policy changes.</summary>
    public DateTimeOffset? PermitEndsAt { get; init; }

    /// <summary>The instant that no hand-out may outlive: the permit's, the proof's where the issuer ties them, the shortest hop's.</summary>
    public required DateTimeOffset NotBeyond { get; init; }

    public DateTimeOffset AskedAt => Time.AskedAt;

    public required long AskedAtTick { get; init; }

    /// <summary>The clock of the exchange.</summary>
    public required FlightTime Time { get; init; }

    public required TimeSpan Margin { get; init; }

    /// <summary>From this tick the hop's credential is handed out no more: the second hand of <see cref="NotBeyond"/>.</summary>
    public required long HopDeadTick { get; init; }

    public required double Jitter { get; init; }

    public static Grant Of(TargetPlan plan, TokenExchanger exchanger, AttestedProof proof, AccessRequest request, AccessDecision decision, string revision, JobSession session)
    {
        ScopeSet asked = request.Scopes;
        ScopeSet scopes = decision.Scopes ?? asked;
        // Where scopes were asked for, none at all is wider, not narrower: the issuer would give what it has.
        if (!asked.IsEmpty && (scopes.IsEmpty || !exchanger.Contains(asked, scopes)))
        {
            throw new TokenExchangeException(ErrorCodes.ScopeOutsideTarget, ExchangeStage.Authorize, $"Rule '{decision.Rule}' permits scopes '{scopes}', which go beyond the '{asked}' that were asked for.")
            {
                Target = plan.Name, Hint = "A policy narrows; correct the rule.",
            };
        }
        DateTimeOffset notBeyond = Earliest(decision.HoldsUntil, proof.HopUnusableFrom, exchanger.EndsWithSubjectToken ? proof.ExpiresAt : null);
        TimeSpan longest = decision.MaxLifetime is { } shorter && shorter < plan.MaxLifetime ? shorter : plan.MaxLifetime;
        // The tick first: a thread that is preempted between the hands makes a life shorter, never longer. And all of them now, not when intent and journal are written.
        long tick = session.Clock.Tick;
        var time = new FlightTime(session.Plan.Time);
        return new Grant
        {
            Origin = proof.Origin!,
            Asked = AskedFor.After(decision, request),
            Resources = decision.Resources,
            AuthorizationDetails = Narrowing.DetailsLeft(decision, request),
            Tenant = request.Tenant,
            Exposure = request.Exposure,
            Rule = decision.Rule,
            PolicyRevision = revision,
            MaxLifetime = longest,
            RefusesLongerLife = decision.RefuseLongerLife ? decision.Rule : null,
            PermitEndsAt = decision.HoldsUntil,
            NotBeyond = notBeyond,
            AskedAtTick = tick,
            Time = time,
            Margin = exchanger.UsableMargin is { Ticks: >= 0 } margin
                ? margin
                : throw new TokenExchangeException(ErrorCodes.ExchangerFailed, ExchangeStage.Exchange, "The exchanger's UsableMargin is negative: it would hand out dead credentials."),
            HopDeadTick = proof.HopDeadTick,
            Jitter = session.Jitter(),
        };
    }

    /// <summary>Whether what another grant asked for, and how long that is handed out, is within this one.</summary>
    public bool LeavesAsMuchAs(Grant other) =>
        Scopes == other.Scopes
        && (Resources is not { } names || (other.Resources is { } others && others.All(name => names.Contains(name, StringComparer.Ordinal))))
        && AuthorizationDetails == other.AuthorizationDetails
        && MaxLifetime >= other.MaxLifetime
        && (RefusesLongerLife is null || other.RefusesLongerLife is not null)
        && (PermitEndsAt ?? DateTimeOffset.MaxValue) >= (other.PermitEndsAt ?? DateTimeOffset.MaxValue);

    /// <summary>The instant from which the credential is handed out no more. Lives count from before the request was sent.</summary>
    public DateTimeOffset UnusableFrom(Credential credential) =>
        Earliest(credential.HandOutEnd.UtcTicks > Margin.Ticks ? credential.HandOutEnd - Margin : DateTimeOffset.MinValue, AskedAt + MaxLifetime, NotBeyond);

    public LeaseRecord LeaseFor<T>(Issued<T> issued)
        where T : Credential
    {
        AgreedClock clock = Origin.Owner.Session.Clock;
        DateTimeOffset unusableFrom = UnusableFrom(issued.Credential);
        // A wall that was set ahead since the question is in the end that the exchanger counted, and would be added to the ticks.
        long tick = clock.Tick;
        DateTimeOffset now = clock.Now;
        long ahead = Math.Max(0, Milliseconds(now - AskedAt) - (tick - AskedAtTick));
        long dead = AskedAtTick + Milliseconds(unusableFrom - AskedAt) - ahead;
        if (HopDeadTick < dead)
        {
            // Both hands say one end, or what lies between ours and the issuer's would be lost (LeaseSet.IsPastEnd): the wall may have been set since the hop's was got.
            dead = HopDeadTick;
            unusableFrom = Earliest(unusableFrom, now.AddMilliseconds(dead - tick));
        }
        return new LeaseRecord
        {
            Origin = Origin,
            Handle = issued.RevocationHandle,
            DeadTick = dead,
            WallEnd = clock.WallSecondOf(unusableFrom),
            RefreshLead = (ushort)Math.Clamp(Math.Ceiling(TimeSpan.FromMilliseconds(dead - RefreshTick(issued, dead, tick)).TotalSeconds), 0, ushort.MaxValue),
            // What comes dead was issued this moment: our clock is wrong, or the issuer's. Where ours was set ahead meanwhile, nobody knows from which of its times the end was counted.
            EndIsUncertain = issued.EndIsAssumed || issued.Credential.ExpiresAt <= now || ahead > MostAhead,
        };
    }

    /// <summary>When the refresh is due.</summary>
    public long RefreshTick<T>(Issued<T> issued)
        where T : Credential => RefreshTick(issued, issued.Credential.Lease.DeadTick, Origin.Owner.Session.Clock.Tick);

    // Where the tries before the one that was answered took so long that it is over: at half of what is left.
    private long RefreshTick<T>(Issued<T> issued, long dead, long now)
        where T : Credential
    {
        long due = AskedAtTick + Milliseconds(RefreshAfter(issued, LifeUntil(dead)));
        return due > now || dead <= now ? due : now + ((dead - now) / 2);
    }

    private TimeSpan LifeUntil(long deadTick) => TimeSpan.FromMilliseconds(deadTick - AskedAtTick);

    // By the rule, or when the issuer wants it if that is sooner, but not within the first tenth of the life.
    private TimeSpan RefreshAfter<T>(Issued<T> issued, TimeSpan life)
        where T : Credential
    {
        TimeSpan lead = life / 2 < LongestLead ? life / 2 : LongestLead;
        TimeSpan due = issued.RefreshAt is { } wanted && wanted - AskedAt < life - lead ? wanted - AskedAt : life - lead;
        due -= lead * (JitterShare * Jitter);
        // An issuer that says "at once" must not be asked at every landing.
        TimeSpan earliest = life / 10;
        return due > earliest ? due : earliest;
    }

    /// <summary>Granted scopes as they may be quoted: a scope's name is a published word, so one that was not asked for and looks like a token (of 32 hex digits, too: in a message that may be a trace id), or is too long to show, is none to record.</summary>
    public ScopeSet Quoted(ScopeSet granted) =>
        ScopeSet.Of([.. granted.Values.Select(scope => Scopes.Contains(scope) || (OuterText.Shown(scope) == scope && !Guid.TryParseExact(scope, "N", out _)) ? scope : OuterText.Redacted)]);

    /// <summary>Checks the answer against the question.</summary>
    /// <exception cref="TokenExchangeException">It is wider, flawed, or dead already.</exception>
    public void Verify<T>(Issued<T> issued, AgreedClock clock)
        where T : Credential
    {
        if (issued.Flaw is { } flaw)
            throw flaw;
        // RFC 6749 §5.1: absent scope means "as asked"; where nothing was asked, the issuer decides.
        if (issued.GrantedScopes is { } granted && !Scopes.IsEmpty && !Origin.Owner.Plan.Exchanger.Contains(Scopes, granted))
        {
            throw new TokenExchangeException(ErrorCodes.WiderScope, ExchangeStage.Verify, $"Scopes '{Scopes}' were asked for, '{Quoted(granted)}' were granted. It is not handed out.")
            {
                CorrelationId = issued.CorrelationId, Hint = "Let the issuer grant what is asked for, or ask for what it grants.",
            };
        }
        if (Resources is { } names && issued.Audiences.FirstOrDefault(audience => !names.Contains(audience, StringComparer.Ordinal)) is { } wider)
        {
            throw new TokenExchangeException(ErrorCodes.WrongAudience, ExchangeStage.Verify, $"The policy permits a credential for {PolicyText.OneOf(names)} alone, and this one is for {PolicyText.Presented(wider)} too. It is not handed out.")
            {
                CorrelationId = issued.CorrelationId, Hint = "Let the issuer issue it for what is asked for; if it is another name of that, add it to the rule's resources.",
            };
        }
        if (RefusesLongerLife is not null)
            CheckLife(issued, clock);
        LeaseRecord lease = issued.Credential.Lease;
        if (!clock.IsBefore(lease.DeadTick, lease.WallEnd))
        {
            throw new TokenExchangeException(ErrorCodes.DeadOnArrival, ExchangeStage.Verify, FormattableString.Invariant($"The credential ends at {issued.Credential.ExpiresAt:O} and is unusable from {UnusableFrom(issued.Credential):O} (margin {Margin.TotalSeconds:0.###} s); it is {clock.Now:O} now."))
            {
                IsTransient = true, IsDeadAtIssuer = issued.Credential.ExpiresAt <= clock.Now, IsRenewalForNothing = issued.IsRenewal, CorrelationId = issued.CorrelationId, Hint = "Compare the clocks of this machine and of the issuer; let the issuer give a longer life.",
            };
        }
    }

    // Counted from now, not from the question: an honest issuer counts from in between, in whole seconds.
    private void CheckLife<T>(Issued<T> issued, AgreedClock clock)
        where T : Credential
    {
        TimeSpan life = issued.Credential.ExpiresAt - clock.Now;
        if (!issued.EndIsAssumed && life <= MaxLifetime + Rounding)
            return;
        string lives = issued.EndIsAssumed ? "does not say when it ends" : FormattableString.Invariant($"ends at {issued.Credential.ExpiresAt:O}, in {TimeSpan.FromSeconds(Math.Floor(life.TotalSeconds)):c}");
        throw new TokenExchangeException(ErrorCodes.LivesTooLong, ExchangeStage.Verify, $"Rule '{RefusesLongerLife}' permits a life of {MaxLifetime:hh\\:mm\\:ss} at most (refuseLongerLife), and the credential {lives}. It is not handed out.")
        {
            CorrelationId = issued.CorrelationId, Hint = "Let the issuer give shorter lives to this client; or take refuseLongerLife out of the rule: then the hand-out alone is limited.",
        };
    }

    private static DateTimeOffset Earliest(params ReadOnlySpan<DateTimeOffset?> instants)
    {
        DateTimeOffset earliest = DateTimeOffset.MaxValue;
        foreach (DateTimeOffset? instant in instants)
        {
            if (instant < earliest)
                earliest = instant.Value;
        }
        return earliest;
    }

    private static long Milliseconds(TimeSpan time) => (long)Math.Floor(time.TotalMilliseconds);
}
