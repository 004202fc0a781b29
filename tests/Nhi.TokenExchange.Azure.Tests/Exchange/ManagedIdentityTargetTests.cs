namespace Nhi.TokenExchange.Tests;

[NonParallelizable, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ManagedIdentityTargetTests
{
    private const string Resource = "https://storage.azure.com";

    private readonly ManualTimeProvider _time = new();

    private static string Answer(string token) => $$"""{"access_token":"{{token}}","expires_on":"{{Proofs.Now.AddHours(24).ToUnixTimeSeconds()}}","resource":"{{Resource}}","token_type":"Bearer"}""";

    private Task<JobSession> StartAsync(Wire wire, Recorded audit, IAccessPolicy? policy = null, params string[] scopes) => JobSession.StartAsync(
        builder =>
        {
            builder.Identity("job", new ManagedIdentitySource(AzureManagedIdentityId.SystemAssigned, wire)).Target("lake", Targets.ManagedIdentity(Resource + "/.default"), "job", scopes).Audit(audit).Time(_time).EndOnSignals(false);
            if (policy is not null)
                builder.Policy(policy);
        });

    [Test]
    public void A_copy_of_the_platforms_token_outlives_the_job_and_can_be_had_by_who_has_a_shell_there() =>
        Assert.That((Targets.ManagedIdentity(Resource).ReusableAfterJob.ToString(), Targets.ManagedIdentity(Resource).VisibleToOperators.ToString()), Is.EqualTo((
            "yes: nothing ends the platform's own token before its time: a copy works until it dies, up to a day after it was issued",
            "yes: the platform gives the same token to whoever can ask its metadata endpoint from this machine, an operator with a shell included")));

    [Test]
    public void A_copy_of_a_token_of_Entra_outlives_the_job_and_is_shown_to_nobody_else()
    {
        TokenExchanger<BearerToken> entra = Targets.Entra(Guid.NewGuid().ToString(), Guid.NewGuid().ToString());
        Assert.That((entra.ReusableAfterJob.IsYes, entra.VisibleToOperators.IsYes), Is.EqualTo((true, false)));
    }

    [Test]
    public async Task The_platforms_token_is_the_credential_and_report_and_audit_say_that_nothing_ends_it()
    {
        using var host = HostVariables.VirtualMachine();
        string token = Proofs.ManagedIdentity();
        var wire = new Wire(Wire.Json(Answer(token)));
        var audit = new Recorded();
        await using JobSession job = await StartAsync(wire, audit);

        BearerToken credential = await job.Provider<BearerToken>("lake").GetAsync();
        BearerToken again = await job.Provider<BearerToken>("lake").GetAsync();
        JobReport report = await job.CompleteAsync();

        Assert.That((credential.Reveal(), credential.ExpiresAt, ReferenceEquals(again, credential), wire.Requests.Count), Is.EqualTo((token, Proofs.Now.AddHours(24), true, 1)));
        Assert.That(wire.Requests[0].Query("resource"), Is.EqualTo(Resource));
        AuditEvent issued = audit.Of(AuditEventKind.Issued).Single();
        Assert.That((issued.IsPlatformIssued, issued.Issuer, issued.DiesAt, issued.UnusableFrom), Is.EqualTo((true, "urn:azure:managed-identity", (DateTimeOffset?)Proofs.Now.AddHours(24), (DateTimeOffset?)Proofs.Now.AddHours(1))));
        LeaseOutcome lease = report.Leases.Single();
        Assert.That((lease.End, lease.Reason, lease.DiesAt), Is.EqualTo((LeaseEnd.CannotBeRevoked, "the platform issued it, and ends nothing before its time", Proofs.Now.AddHours(24))));
    }

    [Test]
    public async Task Credentials_are_replaced_by_asking_the_platform_which_may_give_the_same()
    {
        using var host = HostVariables.VirtualMachine();
        var wire = new Wire(Wire.Json(Answer(Proofs.ManagedIdentity())));
        await using JobSession job = await StartAsync(wire, new Recorded());
        CredentialProvider<BearerToken> lake = job.Provider<BearerToken>("lake");

        BearerToken first = await lake.GetAsync();
        _time.Advance(TimeSpan.FromHours(2));
        BearerToken second = await lake.GetAsync();

        Assert.That((second.Fingerprint, ReferenceEquals(first, second), wire.Requests.Count), Is.EqualTo((first.Fingerprint, false, 2)));
    }

    [Test]
    public async Task A_policy_can_forbid_what_the_platform_issues()
    {
        using var host = HostVariables.VirtualMachine();
        await using JobSession job = await StartAsync(new Wire(Wire.Json(Answer(Proofs.ManagedIdentity()))), new Recorded(), new NothingPlatformIssued());

        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.Provider<BearerToken>("lake").GetAsync().AsTask())!;

        Assert.That(denied.Rule, Is.EqualTo("exchange-only"));
    }

    [Test]
    public async Task A_token_with_a_persons_marks_is_refused_wherever_it_comes_from()
    {
        using var host = HostVariables.VirtualMachine();
        await using JobSession job = await StartAsync(new Wire(Wire.Json(Answer(Proofs.ManagedIdentity(changes: [("idtyp", null), ("scp", "user_impersonation")])))), new Recorded());

        Assert.That(() => job.Provider<BearerToken>("lake").GetAsync().AsTask(), Throws.InstanceOf<IdentityUnavailableException>().With.Property("Code").EqualTo(ErrorCodes.ProofOfAPerson));
    }

    [TestCase("job", true)]
    [TestCase("oidc", false)]
    [TestCase("credential", false)]
    [TestCase("other", false)]
    public async Task Only_what_the_platform_gave_for_the_resource_is_handed_on(string kind, bool isTaken)
    {
        var wire = new Wire();
        SubjectToken subject = kind switch
        {
            "job" => new SubjectToken(Proofs.ManagedIdentity(), SubjectTokenType.AccessToken, Proofs.Now.AddHours(1)) { AskedFor = new Audience(Resource), IsPlatformAttested = true },
            "oidc" => new SubjectToken(Proofs.Of(("aud", Resource)), SubjectTokenType.Jwt, Proofs.Now.AddHours(1)),
            "credential" => new SubjectToken(Proofs.ManagedIdentity(), SubjectTokenType.AccessToken, Proofs.Now.AddHours(1)) { AskedFor = new Audience(Resource) },
            _ => new SubjectToken(Proofs.ManagedIdentity(), SubjectTokenType.AccessToken, Proofs.Now.AddHours(1)) { AskedFor = new Audience("https://vault.azure.net"), IsPlatformAttested = true },
        };
        var request = new ExchangeRequest { Target = "lake", Subject = subject, MaxLifetime = TimeSpan.FromHours(1), Job = JobContext.Unnamed, Backchannel = wire.Backchannel, Time = _time };

        if (isTaken)
        {
            Assert.That((await Targets.ManagedIdentity(Resource).ExchangeAsync(request, default)).Credential.Reveal(), Is.EqualTo(subject.Reveal()));
            return;
        }
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => Targets.ManagedIdentity(Resource).ExchangeAsync(request, default).AsTask())!;
        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.ExchangerFailed, false)));
        Assert.That(refused.Message, Does.Contain("It was not handed on").And.Contain("Targets.Entra"));
        Proofs.AssertNothingShown(refused);
    }

    [TestCase("", null)]
    [TestCase("https://storage.azure.com/.default", null)]
    [TestCase("https://vault.azure.net/.default", "leave them out")]
    [TestCase("https://storage.azure.com/.default other", "leave them out")]
    public void The_resource_is_the_scope(string scopes, string? flaw)
    {
        string? said = Targets.ManagedIdentity(Resource).FlawOf(ScopeSet.Parse(scopes));

        Assert.That(said, flaw is null ? Is.Null : Does.Contain(flaw));
    }

    [Test]
    public void Scopes_that_are_none_fail_at_the_start() => Assert.That(
        () => StartAsync(new Wire(), new Recorded(), null, "storage.read"),
        Throws.InstanceOf<TokenExchangeException>().With.Message.Contain("Targets:lake:Scopes"));

    [TestCase("")]
    [TestCase("storage")]
    [TestCase("https://storage azure.com")]
    public void A_resource_that_is_none_is_refused_at_once(string resource) => Assert.That(() => Targets.ManagedIdentity(resource), Throws.ArgumentException);

    private sealed class NothingPlatformIssued : IAccessPolicy
    {
        public string Revision => "1";

        public ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken) =>
            new(request.IsPlatformIssued ? AccessDecision.Deny("exchange-only", "what the platform issues can't be ended") : AccessDecision.Permit("any"));

        public Microsoft.Extensions.Primitives.IChangeToken GetChangeToken() => new Microsoft.Extensions.Primitives.CancellationChangeToken(CancellationToken.None);
    }
}
