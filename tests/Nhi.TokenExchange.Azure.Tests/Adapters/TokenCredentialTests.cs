using System.Net;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;

namespace Nhi.TokenExchange.Tests.Adapters;

[TestFixture(false)]
[TestFixture(true)]
internal sealed class TokenCredentialTests(bool sync)
{
    private const string Claims = """{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}""";

    [Test]
    public async Task It_gives_the_credential_with_the_ends_of_the_provider_not_of_the_issuer()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        AccessToken token = await GetAsync(job.Lake.AsTokenCredential());
        BearerToken credential = await job.Lake.GetAsync();

        Assert.That((token.Token, token.TokenType), Is.EqualTo((credential.Reveal(), "Bearer")));
        // An hour less the margin of 10 s; of it the last 20 minutes are for the refresh.
        Assert.That((token.ExpiresOn, token.RefreshOn), Is.EqualTo((job.Time.GetUtcNow().AddSeconds(3590), job.Time.GetUtcNow().AddSeconds(3590 - 1200))));
        Assert.That(token.ExpiresOn, Is.LessThan(credential.ExpiresAt));
    }

    [Test]
    public async Task Its_ends_are_no_later_than_the_target_allows()
    {
        await using LakeJob job = await LakeJob.StartAsync(target => target.MaxLifetime = TimeSpan.FromMinutes(8));
        AccessToken token = await GetAsync(job.Lake.AsTokenCredential());

        Assert.That(token.ExpiresOn, Is.LessThanOrEqualTo(job.Time.GetUtcNow().AddMinutes(8)));
        Assert.That(token.RefreshOn, Is.LessThan(token.ExpiresOn).And.GreaterThan(job.Time.GetUtcNow()));
    }

    [Test]
    public async Task It_keeps_none_so_a_rejection_reaches_the_next_call()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        TokenCredential credential = job.Lake.AsTokenCredential();
        AccessToken first = await GetAsync(credential);
        job.Lake.Reject(await job.Lake.GetAsync());

        Assert.That((await GetAsync(credential)).Token, Is.Not.EqualTo(first.Token));
    }

    [Test]
    public async Task The_targets_scopes_in_any_order_and_no_scopes_are_one_request()
    {
        await using LakeJob job = await LakeJob.StartAsync(target => target.Scopes = ScopeSet.Of("read", "write"));
        TokenCredential credential = job.Lake.AsTokenCredential();
        string[] tokens =
        [
            (await GetAsync(credential, new TokenRequestContext(["read", "write"]))).Token,
            (await GetAsync(credential, new TokenRequestContext(["write", "read"]))).Token,
            (await GetAsync(credential, new TokenRequestContext([]))).Token,
            (await GetAsync(credential, default)).Token,
            (await GetAsync(credential, new TokenRequestContext([], claims: "", tenantId: ""))).Token,
        ];

        Assert.That((tokens.Distinct().Count(), job.Issuer.Requests.Count), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task A_subset_gives_a_narrower_credential_of_its_own()
    {
        await using LakeJob job = await LakeJob.StartAsync(target => target.Scopes = ScopeSet.Of("read", "write"));
        TokenCredential credential = job.Lake.AsTokenCredential();
        await GetAsync(credential, new TokenRequestContext(["read"]));
        await GetAsync(credential, new TokenRequestContext(["read"]));

        Assert.That(job.Issuer.Requests.Select(request => request.Scopes.ToString()), Is.EqualTo(["read"]));
    }

    [TestCase("https://vault.azure.net/.default")]
    [TestCase("https://storage.azure.com//.default")]
    [TestCase("https://STORAGE.azure.com/.default")]
    [TestCase("https://storage.azure.com/.default https://vault.azure.net/.default")]
    [TestCase("not a scope \u202e")]
    [TestCase("")]
    public async Task Scopes_outside_the_targets_are_refused(string scope)
    {
        await using LakeJob job = await LakeJob.StartAsync();
        TokenCredential credential = job.Lake.AsTokenCredential();
        await GetAsync(credential);

        foreach (string[] scopes in new string[][] { [scope], [LakeJob.Scope, scope] })
        {
            TokenExchangeException refusal = Assert.ThrowsAsync<TokenExchangeException>(() => GetAsync(credential, new TokenRequestContext(scopes)))!;
            Assert.That((refusal.Code, refusal.Message.Contains('\u202e', StringComparison.Ordinal)), Is.EqualTo(("NHI3003", false)));
            Assert.That(refusal.Message, Does.Contain(LakeJob.Scope));
        }
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task An_array_that_was_changed_after_a_hit_is_looked_at_again()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        TokenCredential credential = job.Lake.AsTokenCredential();
        string[] scopes = [LakeJob.Scope];
        var context = new TokenRequestContext(scopes);
        await GetAsync(credential, context);
        scopes[0] = "https://vault.azure.net/.default";

        Assert.That(async () => await GetAsync(credential, context), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI3003"));
    }

    [Test]
    public async Task A_target_without_scopes_gives_its_credential_under_the_names_that_were_said()
    {
        await using LakeJob job = await LakeJob.StartAsync(target => target.Scopes = ScopeSet.Empty);
        TokenCredential credential = job.Lake.AsTokenCredential(LakeJob.Scope, "https://lake.blob.example/.default");
        await GetAsync(credential, new TokenRequestContext([LakeJob.Scope]));
        await GetAsync(credential, new TokenRequestContext(["https://lake.blob.example/.default"]));

        Assert.That(job.Issuer.Requests.Select(request => request.Scopes.IsEmpty), Is.EqualTo([true]));
        Assert.That(
            async () => await GetAsync(credential, new TokenRequestContext(["https://vault.azure.net/.default"])),
            Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI3003"));
    }

    [Test]
    public async Task A_target_without_scopes_and_without_names_refuses_any_and_says_what_to_write()
    {
        await using LakeJob job = await LakeJob.StartAsync(target => target.Scopes = ScopeSet.Empty);

        Assert.That(
            async () => await GetAsync(job.Lake.AsTokenCredential(), new TokenRequestContext([LakeJob.Scope])),
            Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI3003").And.Message.Contains("AsTokenCredential("));
    }

    [Test]
    public async Task Names_that_are_not_the_targets_scopes_are_refused_at_once()
    {
        await using LakeJob job = await LakeJob.StartAsync();

        Assert.That(() => job.Lake.AsTokenCredential("https://vault.azure.net/.default"), Throws.ArgumentException.With.Message.Contains(LakeJob.Scope));
        Assert.That(() => job.Lake.AsTokenCredential(LakeJob.Scope), Throws.Nothing);
    }

    [Test]
    public async Task Tenant_and_claims_are_passed_on_and_part_of_the_key()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        TokenCredential credential = job.Lake.AsTokenCredential();
        TokenRequestContext[] contexts =
        [
            new([LakeJob.Scope]), new([LakeJob.Scope], claims: Claims), new([LakeJob.Scope], tenantId: "contoso"), new([LakeJob.Scope], claims: Claims, tenantId: "contoso"),
        ];
        var tokens = new HashSet<string>();
        foreach (TokenRequestContext context in contexts.Concat(contexts))
            tokens.Add((await GetAsync(credential, context)).Token);

        Assert.That(tokens, Has.Count.EqualTo(4));
        Assert.That(job.Issuer.Requests.Select(request => (request.Tenant, request.Claims)), Is.EqualTo(new (string?, string?)[] { (null, null), (null, Claims), ("contoso", null), ("contoso", Claims) }));
    }

    [Test]
    public async Task A_client_that_speaks_continuous_access_evaluation_gets_the_targets_own_credential()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        await GetAsync(job.Lake.AsTokenCredential(), new TokenRequestContext([LakeJob.Scope], isCaeEnabled: true));

        Assert.That(job.Issuer.Requests.Select(request => request.Claims), Is.EqualTo(new string?[] { null }));
    }

    [Test]
    public async Task Proof_of_possession_is_refused()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        var context = new TokenRequestContext([LakeJob.Scope], null, null, null, false, isProofOfPossessionEnabled: true, "nonce", new Uri(LakeJob.Origin), "GET");

        TokenCredential credential = job.Lake.AsTokenCredential();

        Assert.That(async () => await GetAsync(credential, context), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8003"));
        Assert.That(job.Issuer.Requests, Is.Empty);
        await GetAsync(credential);
        Assert.That(async () => await GetAsync(credential, context), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8003"));
    }

    [Test]
    public async Task After_the_jobs_end_every_request_throws()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        TokenCredential credential = job.Lake.AsTokenCredential();
        var withClaims = new TokenRequestContext([LakeJob.Scope], claims: Claims);
        await GetAsync(credential);
        await GetAsync(credential, withClaims);
        await job.Session.CompleteAsync();

        foreach (TokenRequestContext context in new[] { new TokenRequestContext([LakeJob.Scope]), withClaims })
            Assert.That(async () => await GetAsync(credential, context), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI7001"));
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_miss_waits_for_the_issuer_and_holds_nobody_else()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        TokenCredential credential = job.Lake.AsTokenCredential();
        await GetAsync(credential);
        job.Issuer.Shut();
        Task<AccessToken> miss = GetAsync(credential, new TokenRequestContext([LakeJob.Scope], claims: Claims));
        await job.Issuer.Reached;
        await GetAsync(credential);

        Assert.That(miss.IsCompleted, Is.False);
        job.Issuer.Open();
        Assert.That((await miss).Token, Is.Not.Empty);
    }

    [Test]
    public async Task A_hit_allocates_nothing()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        TokenCredential credential = job.Lake.AsTokenCredential();
        var context = new TokenRequestContext([LakeJob.Scope]);
        await GetAsync(credential, context);
        long allocated = Allocated(credential, context);
        for (int i = 0; i < 3 && allocated > 0; i++)
            allocated = Allocated(credential, context);

        Assert.That(allocated, Is.Zero);
    }

    [Test]
    public async Task The_failure_of_an_issuer_ends_a_chain_of_credentials()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        job.Issuer.Failure = new TokenExchangeException("NHI4001", ExchangeStage.Exchange, "No.");
        var other = new CountedCredential();
        var chain = new ChainedTokenCredential(job.Lake.AsTokenCredential(), other);
        Exception? caught = null;
        try
        {
            await GetAsync(chain);
        }
        catch (Exception exception) when (exception is TokenExchangeException or AuthenticationFailedException)
        {
            caught = exception;
        }

        Assert.That((caught as TokenExchangeException ?? caught?.InnerException as TokenExchangeException)?.Code, Is.EqualTo("NHI4001"));
        Assert.That(other.Calls, Is.Zero);
    }

    [Test]
    public async Task It_names_its_target_and_no_token()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        TokenCredential credential = job.Lake.AsTokenCredential();
        await GetAsync(credential);

        Assert.That(credential.ToString(), Is.EqualTo("TokenCredential of target 'lake'"));
    }

    // Azure.Core reads the system's clock, the job the test's: where the job stands in the past, its credentials have ended for Azure.Core.
    [TestCase(0, 1, Description = "fresh: the client's copy serves")]
    [TestCase(-2, 3, Description = "ended: the client asks us each time, and we answer from the one slot")]
    public async Task The_copy_of_an_Azure_client_dies_before_ours(int hours, int asked)
    {
        await using LakeJob job = await LakeJob.StartAsync(start: TimeProvider.System.GetUtcNow().AddHours(hours));
        var counted = new CountedCredential(job.Lake.AsTokenCredential());
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        TestClient client = Client(wire, counted);
        for (int i = 0; i < 3; i++)
            await client.SendAsync();

        Assert.That((counted.Calls, wire.All.Count, job.Issuer.Requests.Count), Is.EqualTo((asked, 3, 1)));
    }

    [Test]
    public async Task From_the_end_of_its_copy_on_an_Azure_client_sends_nothing_for_a_job_that_is_over()
    {
        await using LakeJob job = await LakeJob.StartAsync(start: TimeProvider.System.GetUtcNow().AddHours(-2));
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        TestClient client = Client(wire, job.Lake.AsTokenCredential());
        await client.SendAsync();
        await job.Session.CompleteAsync();

        Assert.That(async () => await client.SendAsync(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI7001"));
        Assert.That(wire.All, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Until_then_it_sends_its_copy_which_is_why_the_policy_is_the_better_form()
    {
        await using LakeJob job = await LakeJob.StartAsync(start: TimeProvider.System.GetUtcNow());
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        TestClient client = Client(wire, job.Lake.AsTokenCredential());
        await client.SendAsync();
        await job.Session.CompleteAsync();

        Assert.That((await client.SendAsync()).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_claims_challenge_that_Azure_Core_answers_comes_through()
    {
        await using LakeJob job = await LakeJob.StartAsync(start: TimeProvider.System.GetUtcNow());
        string challenge = $"Bearer error=\"insufficient_claims\", claims=\"{Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Claims))}\"";
        using Wire wire = Wire.InTurn(() => Wire.Challenge(challenge), () => new(HttpStatusCode.OK));

        Assert.That((await Client(wire, job.Lake.AsTokenCredential()).SendAsync()).Status, Is.EqualTo(200));
        Assert.That(job.Issuer.Requests.Select(request => request.Claims), Is.EqualTo([null, Claims]));
    }

    private long Allocated(TokenCredential credential, TokenRequestContext context)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            if (sync)
                credential.GetToken(context, default);
            else
                Completed(credential.GetTokenAsync(context, default));
        }
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static void Completed(ValueTask<AccessToken> hit)
    {
        if (!hit.IsCompletedSuccessfully)
            Assert.Fail("A hit waited.");
    }

    private TestClient Client(Wire wire, TokenCredential credential) => new(TestClient.On(wire), sync, new BearerTokenAuthenticationPolicy(credential, LakeJob.Scope));

    private Task<AccessToken> GetAsync(TokenCredential credential) => GetAsync(credential, new TokenRequestContext([LakeJob.Scope]));

    private Task<AccessToken> GetAsync(TokenCredential credential, TokenRequestContext context) =>
        sync ? Task.Run(() => credential.GetToken(context, default)) : credential.GetTokenAsync(context, default).AsTask();

    private sealed class CountedCredential(TokenCredential? inner = null) : TokenCredential
    {
        private int _calls;

        public int Calls => _calls;

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _calls);
            return inner!.GetToken(requestContext, cancellationToken);
        }

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _calls);
            return inner!.GetTokenAsync(requestContext, cancellationToken);
        }
    }
}
