using Azure;
using Azure.Core;

namespace Nhi.TokenExchange.Tests;

internal sealed class TokenCredentialSourceTests
{
    private const string Audience = "api://AzureADTokenExchange";

    private static SubjectTokenRequest Request(string audience = Audience, string? refused = null) => new()
    {
        Audience = new Audience(audience), Backchannel = new Wire().Backchannel, Time = new ManualTimeProvider(), MustBeNew = refused is not null, RefusedFingerprint = refused,
    };

    [TestCase(Audience, Audience + "/.default")]
    [TestCase("https://storage.azure.com/.default", "https://storage.azure.com/.default")]
    [TestCase("https://storage.azure.com/.default/.default", "https://storage.azure.com/.default")]
    public async Task A_credential_is_asked_for_the_default_scope_of_the_audience(string audience, string scope)
    {
        var credential = new WorkloadCredential();

        SubjectToken token = await IdentitySources.From(credential).GetSubjectTokenAsync(Request(audience), default);

        TokenRequestContext asked = credential.Asked.Single();
        Assert.That((asked.Scopes.Single(), asked.Claims, asked.TenantId, asked.IsCaeEnabled), Is.EqualTo((scope, (string?)null, (string?)null, false)));
        Assert.That((token.Reveal(), token.Type, token.ExpiresAt, token.AskedFor.ToString(), token.IsPlatformAttested), Is.EqualTo((Proofs.Token(), SubjectTokenType.AccessToken, (DateTimeOffset?)Proofs.Now.AddHours(1), audience, false)));
    }

    [Test]
    public void What_is_or_may_be_a_persons_is_refused_before_it_is_asked_unless_the_switch_says_so()
    {
        TokenCredential[] persons = [new AzureCliCredential(), new InteractiveBrowserCredential(), new DefaultAzureCredential(), new ChainedTokenCredential(), new Derived()];

        foreach (TokenCredential person in persons)
        {
            TokenExchangeException refused = Assert.Throws<TokenExchangeException>(() => IdentitySources.From(person))!;
            Assert.That((refused.Code, refused.Stage), Is.EqualTo((ErrorCodes.ProofOfAPerson, ExchangeStage.Configure)));
            Assert.That(() => IdentitySources.From(person, allowPersonInDevelopment: true), Throws.Nothing);
            Assert.That(((WorkloadCredential)person).Asked, Is.Empty);
        }
    }

    [Test]
    public void What_holds_a_static_secret_is_refused_with_every_switch([Values] bool allowPerson)
    {
        foreach (TokenCredential secret in new TokenCredential[] { new ClientSecretCredential(), new EnvironmentCredential() })
            Assert.That(Assert.Throws<TokenExchangeException>(() => IdentitySources.From(secret, allowPerson))!.Code, Is.EqualTo(ErrorCodes.StaticSecret));
    }

    [Test]
    public async Task A_person_is_let_through_in_development_and_the_audit_says_so()
    {
        var audit = new Recorded();
        await using JobSession job = await StartAsync("Development", ActsFor.PersonInDevelopment, audit);

        await job.Provider<BearerToken>("lake").GetAsync();

        Assert.That(audit.Of(AuditEventKind.Issued).Single().IsAPersons);
    }

    [TestCase("Production", ActsFor.PersonInDevelopment)]
    [TestCase("Development", ActsFor.Proven)]
    [TestCase("Development", ActsFor.Workload)]
    public void A_person_is_refused_elsewhere_and_without_the_word(string environment, ActsFor actsFor) => Assert.That(
        async () =>
        {
            await using JobSession job = await StartAsync(environment, actsFor, new Recorded());
            await job.Provider<BearerToken>("lake").GetAsync();
        },
        Throws.InstanceOf<TokenExchangeException>());

    [TestCase("Production", ActsFor.Proven)]
    [TestCase("Production", ActsFor.Workload)]
    [TestCase("Development", ActsFor.Workload)]
    public async Task A_type_that_may_end_with_a_persons_is_one_whatever_its_token_shows(string environment, ActsFor actsFor)
    {
        string workloads = Proofs.ManagedIdentity(Audience);
        foreach (WorkloadCredential credential in new WorkloadCredential[] { new ChainedTokenCredential { Token = workloads }, new AzureCliCredential { Token = workloads }, new Derived { Token = workloads } })
        {
            await using JobSession job = await StartAsync(environment, actsFor, new Recorded(), credential);
            Assert.That(Assert.ThrowsAsync<IdentityUnavailableException>(() => job.Provider<BearerToken>("lake").GetAsync().AsTask())!.Code, Is.EqualTo(ErrorCodes.ProofOfAPerson));
        }
        var audit = new Recorded();
        await using JobSession development = await StartAsync("Development", ActsFor.PersonInDevelopment, audit, new ChainedTokenCredential { Token = workloads });
        await development.Provider<BearerToken>("lake").GetAsync();
        Assert.That(audit.Of(AuditEventKind.Issued).Single().IsAPersons);
    }

    [Test]
    public async Task With_the_switch_a_workloads_type_is_still_a_workloads()
    {
        var audit = new Recorded();
        await using JobSession job = await StartAsync("Production", ActsFor.Proven, audit, new WorkloadCredential { Token = Proofs.ManagedIdentity(Audience) });

        await job.Provider<BearerToken>("lake").GetAsync();

        Assert.That(audit.Of(AuditEventKind.Issued).Single().IsAPersons, Is.False);
    }

    [TestCase(503, true)]
    [TestCase(400, false)]
    public void What_it_throws_is_told_by_type_and_status_alone(int status, bool isTransient)
    {
        var credential = new WorkloadCredential { Failure = new InvalidOperationException("tokencanary", new RequestFailedException(status, "tokencanary")) };

        IdentityUnavailableException refused = Assert.ThrowsAsync<IdentityUnavailableException>(() => IdentitySources.From(credential).GetSubjectTokenAsync(Request(), default).AsTask())!;

        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.ProofUnavailable, isTransient)));
        Assert.That(refused.Message, Does.Contain($"WorkloadCredential gave no token: InvalidOperationException, status {status}"));
        Proofs.AssertNothingShown(refused);
    }

    [Test]
    public async Task A_proof_that_was_refused_is_not_given_again()
    {
        IWorkloadIdentitySource source = IdentitySources.From(new WorkloadCredential());
        string fingerprint = (await source.GetSubjectTokenAsync(Request(), default)).Fingerprint;

        Assert.That(() => source.GetSubjectTokenAsync(Request(refused: fingerprint), default).AsTask(), Throws.InstanceOf<IdentityUnavailableException>().With.Message.Contain("the very token again"));
    }

    [Test]
    public void A_cancellation_is_one()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();

        Assert.That(() => IdentitySources.From(new WorkloadCredential()).GetSubjectTokenAsync(Request(), cancelled.Token).AsTask(), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void A_source_that_is_a_function_is_still_one() =>
        Assert.That(IdentitySources.From((_, _) => new(new SubjectToken(Proofs.Of(), SubjectTokenType.Jwt))), Is.Not.Null);

    private static Task<JobSession> StartAsync(string environment, ActsFor actsFor, Recorded audit, TokenCredential? credential = null)
    {
        string token = Proofs.ManagedIdentity(changes: [("idtyp", null), ("scp", "user_impersonation"), ("upn", "mona@contoso.example")]);
        return JobSession.StartAsync(
            builder => builder
                .Job(new JobContext { Environment = environment })
                .Identity("me", IdentitySources.From(credential ?? new AzureCliCredential { Token = token }, allowPersonInDevelopment: true), actsFor)
                .Target("lake", new OverWire(Targets.Entra(EntraCalls.Tenant, EntraCalls.Client), new Wire(Wire.Json(EntraCalls.Good()))), "me", EntraCalls.Scope)
                .Audit(audit).Time(new ManualTimeProvider()).EndOnSignals(false),
            default);
    }

    private class WorkloadCredential : TokenCredential
    {
        public List<TokenRequestContext> Asked { get; } = [];

        public Exception? Failure { get; init; }

        public string Token { get; init; } = Proofs.Token();

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) => throw new NotSupportedException("Nobody asks synchronously.");

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Asked.Add(requestContext);
            return Failure is null ? new(new AccessToken(Token, Proofs.Now.AddHours(1))) : throw Failure;
        }
    }

    private class AzureCliCredential : WorkloadCredential;

    private sealed class Derived : AzureCliCredential;

    private sealed class InteractiveBrowserCredential : WorkloadCredential;

    private sealed class DefaultAzureCredential : WorkloadCredential;

    private sealed class ChainedTokenCredential : WorkloadCredential;

    private sealed class ClientSecretCredential : WorkloadCredential;

    private sealed class EnvironmentCredential : WorkloadCredential;
}
