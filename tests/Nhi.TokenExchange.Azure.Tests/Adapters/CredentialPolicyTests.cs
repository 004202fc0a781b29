using System.Diagnostics.Tracing;
using System.Net;
using Azure.Core;
using Azure.Core.Diagnostics;
using Azure.Core.Pipeline;

namespace Nhi.TokenExchange.Tests.Adapters;

[TestFixture(false)]
[TestFixture(true)]
internal sealed class CredentialPolicyTests(bool sync)
{
    [Test]
    public async Task A_request_to_the_target_carries_its_credential_and_loses_it_with_the_answer()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        (int status, bool headerIsLeft) = await Client(wire, job).SendAsync();

        Assert.That((status, headerIsLeft, wire.All[0].Scheme), Is.EqualTo((200, false, "Bearer")));
        Assert.That(wire.Tokens, Is.EqualTo([(await job.Lake.GetAsync()).Reveal()]));
    }

    [TestCase("https://evil.example/orders")]
    [TestCase("https://lake.blob.example.evil.example/orders")]
    [TestCase("https://lake.blob.example:8443/orders")]
    [TestCase("https://lake.blob.example./orders")]
    [TestCase("http://lake.blob.example/orders")]
    [TestCase("http://lake.blob.example:443/orders")]
    public async Task A_request_to_another_origin_is_refused_and_not_sent(string address)
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.OK);

        Assert.That(
            async () => await Client(wire, job).SendAsync(address + "?sig=canary"),
            Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8001")
                .And.Message.Contains(new Uri(address).IdnHost).And.Message.Contains("https://lake.blob.example:443").And.Message.Not.Contain("canary"));
        Assert.That((wire.All.Count, job.Issuer.Requests.Count), Is.EqualTo((0, 0)));
    }

    [TestCase("https://LAKE.blob.example/other?x=1")]
    [TestCase("https://lake.blob.example:443/")]
    public async Task The_same_origin_written_otherwise_is_the_same(string address)
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.OK);

        Assert.That((await Client(wire, job).SendAsync(address)).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task Origins_that_are_named_stand_in_for_the_targets_own()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        var client = new TestClient(TestClient.On(wire).AddCredential(job.Lake, new Uri("http://127.0.0.1:10000")), sync);

        Assert.That((await client.SendAsync("http://127.0.0.1:10000/account")).Status, Is.EqualTo(200));
        Assert.That(async () => await client.SendAsync(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8001"));
    }

    [TestCase("http://lake.blob.example")]
    [TestCase("https://lake.blob.example/container")]
    [TestCase("https://user@lake.blob.example")]
    [TestCase("ftp://lake.blob.example")]
    public async Task What_is_no_safe_origin_is_refused_at_once(string origin)
    {
        await using LakeJob job = await LakeJob.StartAsync();
        Assert.That(() => new TestClient.Options().AddCredential(job.Lake, new Uri(origin)), Throws.ArgumentException.With.Message.Contains("https origin"));
    }

    [Test]
    public void No_origin_at_all_is_refused_at_once()
    {
        CredentialProvider<BearerToken> provider = CredentialProvider.From("lake", _ => new ValueTask<BearerToken>(New("one")));
        Assert.That(() => new TestClient.Options().AddCredential(provider), Throws.ArgumentException.With.Message.Contains("no allowed origin").And.Message.Contains("'lake'"));
    }

    [Test]
    public async Task An_Authorization_header_of_the_caller_is_refused_and_not_quoted()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.OK);

        Assert.That(
            async () => await Client(wire, job).SendAsync(more: message => message.Request.Headers.Add("Authorization", "Basic canary")),
            Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8002").And.Message.Not.Contain("canary"));
        Assert.That((wire.All.Count, job.Issuer.Requests.Count), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task A_client_that_has_a_credential_of_its_own_as_well_is_refused()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        var client = new TestClient(TestClient.On(wire).AddCredential(job.Lake), sync, new BearerTokenAuthenticationPolicy(job.Lake.AsTokenCredential(), LakeJob.Scope));

        Assert.That(async () => await client.SendAsync(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8002"));
        Assert.That(wire.All, Is.Empty);
    }

    [Test]
    public async Task A_401_rejects_the_credential_and_repeats_once_with_another_and_the_same_content()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.InTurn(() => Wire.Challenge("Bearer"), () => new(HttpStatusCode.Created));
        using var stream = new MemoryStream([1, 2, 3]);
        int status = (await Client(wire, job).SendAsync(content: RequestContent.Create(stream))).Status;

        Assert.That((status, job.Issuer.Requests.Count), Is.EqualTo((201, 2)));
        Assert.That(wire.Tokens, Has.Count.EqualTo(2).And.Unique);
        Assert.That(wire.All.Select(sent => sent.Body), Is.All.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    public async Task A_401_on_a_credential_that_was_replaced_in_the_meantime_costs_no_exchange()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        BearerToken first = await job.Lake.GetAsync();
        BearerToken? second = null;
        using var wire = new Wire(sent =>
        {
            if (sent.Token != first.Reveal())
                return new(HttpStatusCode.OK);
            job.Lake.Reject(first);
            second = job.Lake.GetAsync().AsTask().GetAwaiter().GetResult();
            return new(HttpStatusCode.Unauthorized);
        });

        Assert.That(((await Client(wire, job).SendAsync()).Status, job.Issuer.Requests.Count), Is.EqualTo((200, 2)));
        Assert.That(wire.Tokens, Is.EqualTo([first.Reveal(), second!.Reveal()]));
    }

    [Test]
    public async Task A_second_401_goes_to_the_caller()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.Unauthorized);

        Assert.That(((await Client(wire, job).SendAsync()).Status, wire.All.Count), Is.EqualTo((401, 2)));
    }

    [Test]
    public async Task A_target_that_refuses_one_credential_after_the_other_costs_an_exchange_now_and_then_only()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.Unauthorized);
        TestClient client = Client(wire, job);

        int[] statuses = [(await client.SendAsync()).Status, (await client.SendAsync()).Status];

        Assert.That(statuses, Is.EqualTo([401, 401]));
        Assert.That(async () => await client.SendAsync(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8004"));
        Assert.That((wire.All.Count, job.Issuer.Requests.Count), Is.EqualTo((3, 2)));
    }

    [Test]
    public async Task The_same_credential_is_not_sent_twice()
    {
        using Wire wire = Wire.Always(HttpStatusCode.Unauthorized);
        CredentialProvider<BearerToken> provider = CredentialProvider.From("lake", _ => new ValueTask<BearerToken>(New("same")));
        var client = new TestClient(TestClient.On(wire).AddCredential(provider, new Uri(LakeJob.Origin)), sync);

        Assert.That(((await client.SendAsync()).Status, wire.All.Count), Is.EqualTo((401, 1)));
    }

    [Test]
    public async Task A_403_is_a_denial()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.Forbidden);
        TestClient client = Client(wire, job);
        await client.SendAsync();

        Assert.That(((await client.SendAsync()).Status, wire.All.Count, job.Issuer.Requests.Count), Is.EqualTo((403, 2, 1)));
    }

    [Test]
    public async Task Each_try_asks_the_provider_anew()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.InTurn(
            () =>
            {
                job.Time.Advance(TimeSpan.FromHours(1));
                return new(HttpStatusCode.ServiceUnavailable);
            },
            () => new(HttpStatusCode.OK));
        TestClient.Options options = TestClient.On(wire).AddCredential(job.Lake);
        options.Retry.MaxRetries = 1;

        Assert.That((await new TestClient(options, sync).SendAsync()).Status, Is.EqualTo(200));
        Assert.That(wire.Tokens, Has.Count.EqualTo(2).And.Unique);
    }

    [Test]
    public async Task A_redirect_that_is_followed_takes_the_credential_to_no_other_origin()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.InTurn(() => Redirect("https://evil.example/orders"), () => new(HttpStatusCode.OK));

        Assert.That(
            async () => await Client(wire, job).SendAsync(more: message => RedirectPolicy.SetAllowAutoRedirect(message, true)),
            Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8001"));
        Assert.That(wire.All, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_redirect_within_the_origin_is_a_request_like_any_other()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.InTurn(() => Redirect($"{LakeJob.Origin}/moved"), () => new(HttpStatusCode.OK));
        int status = (await Client(wire, job).SendAsync(more: message => RedirectPolicy.SetAllowAutoRedirect(message, true))).Status;

        Assert.That((status, wire.All[1].Address.AbsolutePath), Is.EqualTo((200, "/moved")));
        Assert.That(wire.Tokens, Is.All.Not.Null);
    }

    [Test]
    public async Task After_the_jobs_end_it_throws_and_nothing_is_sent()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        TestClient client = Client(wire, job);
        await client.SendAsync();
        await job.Session.CompleteAsync();

        Assert.That(async () => await client.SendAsync(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI7001"));
        Assert.That(wire.All, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_job_that_ends_between_the_401_and_its_repetition_sends_nothing_more()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using var wire = new Wire(_ =>
        {
            job.Session.Dispose();
            return new(HttpStatusCode.Unauthorized);
        });

        Assert.That(async () => await Client(wire, job).SendAsync(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI7001"));
        Assert.That(wire.All, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_failure_of_the_issuer_reaches_the_caller_as_it_is_and_is_not_retried_by_the_client()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        job.Issuer.Failure = new TokenExchangeException("NHI4001", ExchangeStage.Exchange, "No.");
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        TestClient.Options options = TestClient.On(wire).AddCredential(job.Lake);
        options.Retry.MaxRetries = 3;

        Assert.That(async () => await new TestClient(options, sync).SendAsync(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI4001"));
        Assert.That((wire.All.Count, job.Issuer.Requests.Count), Is.EqualTo((0, 1)));
    }

    [Test]
    public async Task A_caller_that_gives_up_leaves_the_exchange_to_the_others()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        using var giveUp = new CancellationTokenSource();
        TestClient client = Client(wire, job);
        job.Issuer.Shut();
        Task leaving = client.SendAsync(cancellationToken: giveUp.Token);
        Task staying = client.SendAsync();
        await job.Issuer.Reached;
        await giveUp.CancelAsync();

        Assert.That(async () => await leaving, Throws.InstanceOf<OperationCanceledException>());
        job.Issuer.Open();
        await staying;
        Assert.That((wire.All.Count, job.Issuer.Requests.Count), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task Clients_that_share_their_options_share_the_policy()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        TestClient.Options options = TestClient.On(wire).AddCredential(job.Lake);
        await new TestClient(options, sync).SendAsync();
        await new TestClient(options, sync).SendAsync();

        Assert.That((wire.All.Count, wire.Tokens.Distinct().Count(), job.Issuer.Requests.Count), Is.EqualTo((2, 1, 1)));
    }

    [Test]
    public async Task The_clients_most_verbose_log_shows_no_token()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.InTurn(() => Wire.Challenge("Bearer"), () => new(HttpStatusCode.OK));
        var lines = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using (new AzureEventSourceListener((_, message) => lines.Enqueue(message), EventLevel.LogAlways))
            await Client(wire, job).SendAsync();

        Assert.That(lines, Has.Some.Contains("Authorization:REDACTED"));
        foreach (string? token in wire.Tokens)
            Assert.That(lines, Has.None.Contains(token!));
    }

    [Test]
    public async Task It_names_its_target_and_no_token()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        var seen = new SeenPolicies();
        seen.AddCredential(job.Lake);
        await job.Lake.GetAsync();

        Assert.That(seen.Policy.ToString(), Is.EqualTo("Credential policy of target 'lake'"));
    }

    private static HttpResponseMessage Redirect(string to) => new(HttpStatusCode.TemporaryRedirect) { Headers = { Location = new Uri(to) } };

    private static BearerToken New(string text) => new(text, DateTimeOffset.UnixEpoch.AddYears(100));

    private TestClient Client(Wire wire, LakeJob job) => new(TestClient.On(wire).AddCredential(job.Lake), sync);

    /// <summary>The only way from options to their policies that Azure.Core leaves open.</summary>
    private sealed class SeenPolicies : ClientOptions
    {
        public object Policy
        {
            get
            {
                object policies = typeof(ClientOptions).GetProperty("Policies", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!.GetValue(this)!;
                object entry = ((System.Collections.IEnumerable)policies).Cast<object>().Single();
                return ((System.Runtime.CompilerServices.ITuple)entry)[1]!;
            }
        }
    }
}
