using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Nhi.TokenExchange.Tests.Http;

namespace Nhi.TokenExchange.Tests.DependencyInjection;

/// <summary>Clients of a factory get the credential of a target: innermost, to its origins, checked when the host starts.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class HttpClientCredentialTests
{
    private readonly Services _services = new();

    [Test]
    public async Task A_typed_client_sends_the_credential_to_the_targets_origin_and_nowhere_else()
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        await using ServiceProvider container = _services.Build(services => services.AddHttpClient<Warehouse>().AddCredential("warehouse").ConfigurePrimaryHttpMessageHandler(() => wire));
        HttpClient client = container.GetRequiredService<Warehouse>().Client;

        using (await client.GetAsync(Wire.Warehouse))
        {
        }

        Assert.That(wire.Tokens, Is.EqualTo(new[] { _services.Warehouse.Issued.Single().Reveal() }));
        Assert.That((await Services.RefusedAsync(() => client.GetAsync(new Uri("https://elsewhere.example/")))).Code, Is.EqualTo("NHI8001"));
        Assert.That(wire.Tokens, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task It_stands_below_what_is_added_before_and_after_it()
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        var before = new Onlooker();
        var after = new Onlooker();
        var later = new Onlooker();
        await using ServiceProvider container = _services.Build(services => Services.Client(services, "w", wire)
            .AddHttpMessageHandler(() => before)
            .AddCredential("warehouse")
            .AddHttpMessageHandler(() => after)
            .Services.PostConfigure<Microsoft.Extensions.Http.HttpClientFactoryOptions>("w", options => options.HttpMessageHandlerBuilderActions.Add(handlers => handlers.AdditionalHandlers.Add(later))));

        using HttpResponseMessage response = await container.GetRequiredService<IHttpClientFactory>().CreateClient("w").GetAsync(Wire.Warehouse);

        Assert.That(wire.Tokens.Single(), Is.Not.Null);
        Assert.That(new[] { before, after, later }.Select(onlooker => (onlooker.Calls, onlooker.Tokens)), Is.All.EqualTo((1, 0)));
    }

    [Test]
    public async Task The_factorys_own_logging_never_sees_the_credential_even_with_redaction_off()
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        using var heard = new FakeLoggerProvider();
        await using ServiceProvider container = _services.Build(services =>
        {
            services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(heard));
            Services.Client(services, "w", wire).AddCredential("warehouse").RedactLoggedHeaders(_ => false);
        });

        using HttpResponseMessage response = await container.GetRequiredService<IHttpClientFactory>().CreateClient("w").GetAsync(Wire.Warehouse);

        string said = string.Join('\n', heard.Collector.GetSnapshot().Select(line => line.Message + string.Join(' ', line.StructuredState ?? [])));
        Assert.That(said, Does.Contain("Sending HTTP request").And.Not.Contain(_services.Warehouse.Issued.Single().Reveal()));
    }

    [Test]
    public async Task The_primary_handler_follows_no_redirect_unless_the_client_names_its_own([Values] bool adjusted)
    {
        await using ServiceProvider container = _services.Build(services =>
        {
            IHttpClientBuilder builder = services.AddHttpClient("w");
            if (adjusted)
                builder.UseSocketsHttpHandler((sockets, _) => sockets.MaxConnectionsPerServer = 7);
            builder.AddCredential("warehouse");
        });

        HttpMessageHandler handler = container.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("w");
        while (handler is DelegatingHandler { InnerHandler: { } inner })
            handler = inner;

        Assert.That(handler, Is.TypeOf<SocketsHttpHandler>().With.Property("AllowAutoRedirect").False.And.Property("UseCookies").False);
        Assert.That(((SocketsHttpHandler)handler).MaxConnectionsPerServer, Is.EqualTo(adjusted ? 7 : int.MaxValue));
    }

    [Test]
    public async Task Wrong_names_and_kinds_of_all_clients_are_one_error_when_the_host_starts()
    {
        using IHost host = _services.Host(services =>
        {
            services.AddHttpClient("a").AddCredential("warehous");
            services.AddHttpClient("b").AddCredential("box");
            services.AddHttpClient("c").AddCredential("warehouse").AddCredential("lake");
            services.AddHttpClient("d").AddCredential("warehouse");
        });

        TokenExchangeException refused = await Services.RefusedAsync(() => host.StartAsync());

        Assert.That(refused.Message, Does.Contain("HttpClient 'a', AddCredential(\"warehous\"): There is no target 'warehous'; there are: warehouse, lake, box."));
        Assert.That(refused.Message, Does.Contain("HttpClient 'b'").And.Contain("gives Ticket").And.Contain("HttpClient 'c': has several credentials: warehouse, lake").And.Not.Contain("HttpClient 'd'"));
        Assert.That(refused.Message, Does.Contain("3 settings are wrong"));
    }

    [Test]
    public async Task A_wrong_name_of_one_client_is_told_with_the_client_and_the_nearest_name()
    {
        using IHost host = _services.Host(services => services.AddHttpClient("nightly").AddCredential("warehous"));
        await using ServiceProvider withoutHost = _services.Build(services => services.AddHttpClient("nightly").AddCredential("warehous"));

        Assert.That((await Services.RefusedAsync(() => host.StartAsync())).Message, Is.EqualTo(
            "NHI1003 HttpClient 'nightly', AddCredential(\"warehous\"): There is no target 'warehous'; there are: warehouse, lake, box. Did you mean 'warehouse'? If not, declare it."));
        Assert.That(() => withoutHost.GetRequiredService<IHttpClientFactory>().CreateClient("nightly"), Throws.TypeOf<TokenExchangeException>().With.Message.EqualTo(
            "NHI1003 There is no target 'warehous'; there are: warehouse, lake, box. It was asked for by HttpClient 'nightly' (AddCredential). Did you mean 'warehouse'? If not, declare it."));
    }

    [Test]
    public async Task Without_AddTokenExchange_the_start_says_what_is_missing()
    {
        using IHost host = _services.Host(services => services.AddHttpClient("a").AddCredential("warehouse"), compose: false);

        Assert.That((await Services.RefusedAsync(() => host.StartAsync())).Message, Does.Contain("AddTokenExchange"));
    }

    [Test]
    public void A_credential_for_all_clients_is_refused() =>
        Assert.That(
            () => new ServiceCollection().ConfigureHttpClientDefaults(all => all.AddCredential("warehouse")),
            Throws.ArgumentException.With.Message.Contains("one client"));

    [Test]
    public async Task A_request_of_another_job_gets_that_jobs_credential([Values] bool synchronously)
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        await using ServiceProvider container = _services.Build(services => Services.Client(services, "w", wire).AddCredential("warehouse"));
        HttpClient client = container.GetRequiredService<IHttpClientFactory>().CreateClient("w");
        await using JobSession other = await container.GetRequiredService<JobSessionFactory>().StartAsync(new JobContext { Run = "2" });
        BearerToken others = await other.Provider<BearerToken>("warehouse").GetAsync();

        using var request = new HttpRequestMessage(HttpMethod.Get, Wire.Warehouse);
        request.Options.Set(CredentialHandler.Job, other);
        using HttpResponseMessage response = synchronously ? client.Send(request) : await client.SendAsync(request);
        using HttpResponseMessage plain = await client.GetAsync(Wire.Warehouse);

        Assert.That(wire.Tokens.First(), Is.EqualTo(others.Reveal()));
        Assert.That(wire.Tokens.Last(), Is.Not.EqualTo(others.Reveal()));
    }

    [Test]
    public async Task A_request_of_another_job_goes_only_where_that_job_allows_and_ends_with_it()
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        await using ServiceProvider container = _services.Build(services => Services.Client(services, "w", wire).AddCredential("warehouse"));
        HttpClient client = container.GetRequiredService<IHttpClientFactory>().CreateClient("w");
        await using JobSession narrow = await JobSession.StartAsync(b => b.EndOnSignals(false)
            .Identity("job", TestProofs.Source(_services.Time), ActsFor.Workload).Target("warehouse", _services.Warehouse, identity: "job").Time(_services.Time));

        Assert.That((await RefusedAsync(client, narrow)).Code, Is.EqualTo("NHI8001"));
        await using JobSession over = await container.GetRequiredService<JobSessionFactory>().StartAsync(new JobContext { Run = "2" });
        await over.CompleteAsync();
        Assert.That((await RefusedAsync(client, over)).Code, Is.EqualTo("NHI7001"));
        Assert.That(wire.Tokens, Is.Empty);
    }

    private static async Task<TokenExchangeException> RefusedAsync(HttpClient client, JobSession job)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Wire.Warehouse);
        request.Options.Set(CredentialHandler.Job, job);
        return await Services.RefusedAsync(() => client.SendAsync(request));
    }

    private sealed class Warehouse(HttpClient client)
    {
        public HttpClient Client => client;
    }

    /// <summary>Looks whether a credential comes by.</summary>
    private sealed class Onlooker : DelegatingHandler
    {
        public int Calls { get; private set; }

        public int Tokens { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Calls++;
            Tokens += request.Headers.Authorization is null ? 0 : 1;
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
            Tokens += request.Headers.Authorization is null ? 0 : 1;
            return response;
        }
    }
}
