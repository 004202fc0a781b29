using System.Net;

namespace Nhi.TokenExchange.Tests.Http;

internal sealed class CreateHandlerTests
{
    [Test]
    public async Task A_handler_of_a_job_sends_to_its_issuers_origin_by_default()
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        await using JobSession job = await StartAsync();
        using var client = new HttpClient(job.CreateHandler("warehouse", wire));
        using HttpResponseMessage response = await client.GetAsync(new Uri("https://issuer.example/api"));

        Assert.That(wire.Tokens, Is.EqualTo(["issued"]));
        Assert.That(
            async () => await client.GetAsync(Wire.Warehouse),
            Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8001").And.Property("Target").EqualTo("warehouse"));
    }

    [Test]
    public async Task Allowed_origins_take_the_place_of_the_issuers()
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        await using JobSession job = await StartAsync(options => options.AllowedOrigins.Add(new Uri("https://warehouse.example")));
        using var client = new HttpClient(job.CreateHandler("warehouse", wire));
        using HttpResponseMessage response = await client.GetAsync(Wire.Warehouse);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(async () => await client.GetAsync(new Uri("https://issuer.example/api")), Throws.TypeOf<TokenExchangeException>());
    }

    [Test]
    public async Task After_the_jobs_end_it_throws()
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        await using JobSession job = await StartAsync();
        using var client = new HttpClient(job.CreateHandler("warehouse", wire));
        using (await client.GetAsync(new Uri("https://issuer.example/api")))
            await job.CompleteAsync();

        Assert.That(
            async () => await client.GetAsync(new Uri("https://issuer.example/api")),
            Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI7001"));
        Assert.That(wire.Tokens, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task An_unknown_target_is_named_at_once()
    {
        await using JobSession job = await StartAsync();

        Assert.That(() => job.CreateHandler("warehous"), Throws.TypeOf<TokenExchangeException>().With.Message.Contains("warehouse"));
    }

    [Test]
    public async Task The_inner_handler_goes_with_the_client_unless_it_is_told_otherwise([Values] bool dispose)
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        await using JobSession job = await StartAsync();
        new HttpClient(job.CreateHandler("warehouse", wire), dispose).Dispose();

        Assert.That(wire.IsDisposed, Is.EqualTo(dispose));
    }

    [Test]
    public async Task The_default_inner_handler_follows_no_redirect_and_keeps_no_cookie()
    {
        await using JobSession job = await StartAsync();
        using CredentialHandler handler = job.CreateHandler("warehouse");

        Assert.That(handler.InnerHandler, Is.TypeOf<SocketsHttpHandler>().With.Property("AllowAutoRedirect").False.And.Property("UseCookies").False);
    }

    private static Task<JobSession> StartAsync(Action<TargetOptions>? configure = null) => JobSession.StartAsync(b => b
        .EndOnSignals(false)
        .Identity("job", IdentitySources.From((_, _) => new ValueTask<SubjectToken>(new SubjectToken("proof", SubjectTokenType.AccessToken))), ActsFor.Workload)
        .Target("warehouse", new OneIssuer(), options =>
        {
            options.Identity = "job";
            configure?.Invoke(options);
        }));

    private sealed class OneIssuer : TokenExchanger<BearerToken>
    {
        public override Uri Issuer => new("https://issuer.example/oidc/v1/token");

        public override Audience SubjectAudience => new("issuer");

        public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken) =>
            new(new Issued<BearerToken>(new BearerToken("issued", request.Time.GetUtcNow().AddHours(1))));
    }
}
