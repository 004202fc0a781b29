using System.Net;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Moq;
using Nhi.TokenExchange.Tests.Configuration;
using Nhi.TokenExchange.Tests.Http;

namespace Nhi.TokenExchange.Tests.DependencyInjection;

/// <summary>What is easily done wrong with containers, client factories and plug-ins, one by one.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class TrapTests
{
    private readonly Services _services = new();

    [Test]
    public async Task Trap_1_any_key_is_registered_so_only_resolving_tells_a_wrong_name()
    {
        await using ServiceProvider container = _services.Build();
        var registered = container.GetRequiredService<IServiceProviderIsKeyedService>();

        Assert.That(registered.IsKeyedService(typeof(CredentialProvider<BearerToken>), "nonsense"), Is.True);
        Assert.That(() => container.GetKeyedService<CredentialProvider<BearerToken>>("nonsense"), Throws.TypeOf<TokenExchangeException>());
        Assert.That(container.GetKeyedServices<CredentialProvider<BearerToken>>(KeyedService.AnyKey), Is.Empty);
        Assert.That(container.GetService<CredentialProvider<BearerToken>>(), Is.Null);
    }

    [Test]
    public async Task Trap_2_providers_are_the_sessions_and_no_scope_disposes_them()
    {
        await using ServiceProvider container = _services.Build();
        using (IServiceScope scope = container.CreateScope())
            await scope.ServiceProvider.GetRequiredKeyedService<CredentialProvider<BearerToken>>("warehouse").GetAsync();

        Assert.That(container.GetRequiredKeyedService<CredentialProvider<BearerToken>>("warehouse").TryGet(out _), Is.True);
        Assert.That(typeof(JobSession).Assembly.GetTypes().Where(type => IsProvider(type) && (typeof(IDisposable).IsAssignableFrom(type) || typeof(IAsyncDisposable).IsAssignableFrom(type))), Is.Empty);
    }

    [Test]
    public async Task Trap_3_handlers_are_shared_by_scopes_hold_no_job_of_a_scope_and_throw_after_the_end()
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        await using ServiceProvider container = _services.Build(services => Services.Client(services, "w", wire).AddCredential("warehouse"));
        await using JobSession other = await container.GetRequiredService<JobSessionFactory>().StartAsync(new JobContext { Run = "2" });
        using IServiceScope one = container.CreateScope(), two = container.CreateScope();
        HttpClient first = one.ServiceProvider.GetRequiredService<IHttpClientFactory>().CreateClient("w");
        HttpClient second = two.ServiceProvider.GetRequiredService<IHttpClientFactory>().CreateClient("w");

        using var ofOther = new HttpRequestMessage(HttpMethod.Get, Wire.Warehouse);
        ofOther.Options.Set(CredentialHandler.Job, other);
        using HttpResponseMessage a = await first.SendAsync(ofOther), b = await first.GetAsync(Wire.Warehouse), c = await second.GetAsync(Wire.Warehouse);
        await container.GetRequiredService<JobSession>().CompleteAsync();

        string?[] tokens = [.. wire.Tokens];
        Assert.That(tokens[1], Is.EqualTo(tokens[2]).And.Not.EqualTo(tokens[0]), "what one request said of its job stays with that request");
        Assert.That((await Services.RefusedAsync(() => second.GetAsync(Wire.Warehouse))).Code, Is.EqualTo("NHI7001"));
        Assert.That(wire.Tokens, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task Trap_4_a_resilience_handler_added_after_it_retries_with_the_token_of_the_moment()
    {
        int answers = 0;
        ServiceProvider? container = null;
        using var wire = new Wire(_ =>
        {
            // Between the two tries the credential is replaced.
            if (++answers > 1)
                return Wire.Answer(HttpStatusCode.OK);
            container!.GetRequiredKeyedService<CredentialProvider<BearerToken>>("warehouse").Reject(_services.Warehouse.Issued.Single());
            return Wire.Answer(HttpStatusCode.ServiceUnavailable);
        });
        container = _services.Build(services => Services.Client(services, "w", wire).AddCredential("warehouse")
            .AddStandardResilienceHandler(options => options.Retry.Delay = TimeSpan.Zero));
        await using (container)
        {
            using HttpResponseMessage response = await container.GetRequiredService<IHttpClientFactory>().CreateClient("w").GetAsync(Wire.Warehouse);

            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
            Assert.That(wire.Tokens, Is.EqualTo(_services.Warehouse.Issued.Select(token => token.Reveal())).And.Exactly(2).Items);
        }
    }

    [Test]
    public async Task Trap_5_a_refusal_from_where_a_redirect_led_rejects_nothing()
    {
        using var wire = new Wire(request =>
        {
            HttpResponseMessage response = Wire.Answer(HttpStatusCode.Unauthorized);
            response.RequestMessage = new HttpRequestMessage(HttpMethod.Get, "https://elsewhere.example/");   // as a handler that follows redirects leaves it
            return response;
        });
        await using ServiceProvider container = _services.Build(services => Services.Client(services, "w", wire).AddCredential("warehouse"));

        using HttpResponseMessage response = await container.GetRequiredService<IHttpClientFactory>().CreateClient("w").GetAsync(Wire.Warehouse);

        Assert.That((wire.Tokens.Count, _services.Warehouse.Requests.Count), Is.EqualTo((1, 1)));
        Assert.That(container.GetRequiredKeyedService<CredentialProvider<BearerToken>>("warehouse").TryGet(out _), Is.True);
    }

    [Test]
    public async Task Trap_6_disposing_a_client_of_the_factory_disposes_nothing_that_others_use()
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        await using ServiceProvider container = _services.Build(services => Services.Client(services, "w", wire).AddCredential("warehouse"));
        IHttpClientFactory clients = container.GetRequiredService<IHttpClientFactory>();
        clients.CreateClient("w").Dispose();

        using HttpResponseMessage response = await clients.CreateClient("w").GetAsync(Wire.Warehouse);

        Assert.That(wire.IsDisposed, Is.False);
    }

    [Test]
    public async Task Trap_7_errors_have_the_path_of_the_setting_and_come_without_a_host_too()
    {
        await using ServiceProvider container = new ServiceCollection().AddTokenExchange(Sections.With(("Targets:warehouse:Host", null))).BuildServiceProvider();

        for (int i = 0; i < 2; i++)
            Assert.That(container.GetRequiredService<JobSession>, Throws.TypeOf<TokenExchangeException>().With.Message.Contains("TokenExchange:Targets:warehouse:Host"));
    }

    [Test]
    public async Task Trap_8_a_mock_takes_the_place_of_a_provider()
    {
        var mock = new Mock<CredentialProvider<BearerToken>>(MockBehavior.Strict, "warehouse");
        using var expected = new CancellationTokenSource();
        var token = new BearerToken("mocked", DateTimeOffset.MaxValue);
        mock.Setup(provider => provider.GetAsync(It.IsAny<CancellationToken>())).ReturnsAsync(token);
        await using ServiceProvider container = _services.Build(services => services.AddKeyedSingleton("warehouse", mock.Object));

        CredentialProvider<BearerToken> warehouse = container.GetRequiredKeyedService<CredentialProvider<BearerToken>>("warehouse");

        Assert.That(await warehouse.GetAsync(expected.Token), Is.SameAs(token));
        Assert.That(warehouse.Target, Is.EqualTo("warehouse"));
        mock.Verify(provider => provider.GetAsync(expected.Token), Times.Once);
    }

    [Test]
    public async Task Trap_9_a_claims_challenge_names_no_token_so_claims_are_part_of_the_key()
    {
        await using ServiceProvider container = _services.Build();
        CredentialProvider<BearerToken> warehouse = container.GetRequiredKeyedService<CredentialProvider<BearerToken>>("warehouse");
        BearerToken plain = await warehouse.GetAsync();

        BearerToken challenged = await warehouse.GetAsync(new CredentialRequest { Claims = """{"access_token":{}}""" });

        Assert.That(challenged, Is.Not.SameAs(plain));
        Assert.That(await warehouse.GetAsync(), Is.SameAs(plain), "nothing was rejected");
    }

    [Test]
    public void Trap_10_no_namespace_hides_others_and_no_builder_action_is_asynchronous()
    {
        Type[] exported = typeof(JobSession).Assembly.GetExportedTypes();
        Assert.That(exported.Select(type => type.Namespace).Distinct(), Is.EquivalentTo(["Nhi.TokenExchange", "Microsoft.Extensions.DependencyInjection"]));
        // A method beside an Action<builder> that took a Func<builder, Task> would make an async lambda ambiguous, or wait for nobody.
        Assert.That(
            exported.SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance)).SelectMany(method => method.GetParameters())
                .Where(parameter => parameter.ParameterType == typeof(Func<TokenExchangeBuilder, Task>)),
            Is.Empty);
    }

    [Test]
    public async Task Trap_11_what_a_kind_made_is_disposed_with_the_host_what_was_handed_in_is_not()
    {
        using var handedIn = new DisposableSource();
        DisposableSource? made = null;
        using (IHost host = _services.Host(
            services => services.AddTokenExchange(Sections.With(("Identities:job:Source", "Acme"), ("Identities:job:Path", null)), builder => builder
                .Identity("other", handedIn).Time(_services.Time).IdentitySourceKind("Acme", _ => made = new DisposableSource())),
            compose: false))
        {
            await host.StartAsync();
            await host.StopAsync();
        }

        Assert.That((made!.IsDisposed, handedIn.IsDisposed), Is.EqualTo((true, false)));
    }

    private static bool IsProvider(Type type)
    {
        for (Type? one = type; one is not null; one = one.BaseType)
        {
            if (one.IsGenericType && one.GetGenericTypeDefinition() == typeof(CredentialProvider<>))
                return true;
        }
        return false;
    }

    private sealed class DisposableSource : IWorkloadIdentitySource, IDisposable
    {
        public bool IsDisposed { get; private set; }

        public ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken) => throw new InvalidOperationException("not asked");

        public void Dispose() => IsDisposed = true;
    }
}
