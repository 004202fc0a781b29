using Microsoft.Extensions.DependencyInjection;

namespace Nhi.TokenExchange.Tests.DependencyInjection;

/// <summary>Providers by the name of their target, one registration for each kind of credential.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class KeyedProviderTests
{
    private readonly Services _services = new();

    private enum Name
    {
        Warehouse,
    }

    [Test]
    public async Task A_constructor_gets_the_provider_of_the_target_that_it_names()
    {
        await using ServiceProvider container = _services.Build(services => services.AddTransient<Report>());

        Report report = container.GetRequiredService<Report>();

        Assert.That(report.Warehouse.Target, Is.EqualTo("warehouse"));
        Assert.That((await report.Warehouse.GetAsync()).Fingerprint, Is.EqualTo(_services.Warehouse.Issued.Single().Fingerprint));
    }

    [Test]
    public async Task P15_Two_scopes_share_one_provider_and_one_exchange()
    {
        await using ServiceProvider container = _services.Build();
        using IServiceScope one = container.CreateScope(), other = container.CreateScope();
        CredentialProvider<BearerToken> first = one.ServiceProvider.GetRequiredKeyedService<CredentialProvider<BearerToken>>("warehouse");
        CredentialProvider<BearerToken> second = other.ServiceProvider.GetRequiredKeyedService<CredentialProvider<BearerToken>>("warehouse");

        Assert.That(second, Is.SameAs(first));
        Assert.That(await second.GetAsync(), Is.SameAs(await first.GetAsync()));
        Assert.That(_services.Warehouse.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_wrong_name_fails_with_the_names_that_there_are()
    {
        await using ServiceProvider container = _services.Build();

        Assert.That(
            () => container.GetRequiredKeyedService<CredentialProvider<BearerToken>>("warehous"),
            Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI1003").And.Message.Contains("warehouse, lake, box"));
    }

    [Test]
    public async Task A_wrong_name_says_which_service_asked_and_offers_the_nearest_name()
    {
        await using ServiceProvider container = _services.Build(services => services.AddCredentialKind<Ticket>().AddTransient<Misspelt>());

        string message = Assert.Throws<TokenExchangeException>(() => container.GetRequiredService<Misspelt>())!.Message;

        Assert.That(message, Is.EqualTo("NHI1003 There is no target 'warehous'; there are: warehouse, lake, box. "
            + "It was asked for by the keyed service CredentialProvider<BearerToken>: look for its key in FromKeyedServices and GetRequiredKeyedService. Did you mean 'warehouse'? If not, declare it."));
        Assert.That(() => container.GetRequiredKeyedService<CredentialProvider<Ticket>>("ledger-of-2026"), Throws.TypeOf<TokenExchangeException>()
            .With.Message.Contains("CredentialProvider<Ticket>").And.Message.EndsWith("Declare it, or name one of these."));
    }

    [Test]
    public async Task A_wrong_kind_fails_with_the_kind_that_there_is_and_the_targets_of_the_wanted_one()
    {
        await using ServiceProvider container = _services.Build();

        Assert.That(
            () => container.GetRequiredKeyedService<CredentialProvider<BearerToken>>("box"),
            Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI1004").And.Message.Contains("gives Ticket").And.Message.Contains("warehouse, lake"));
    }

    [Test]
    public async Task A_key_that_is_no_text_is_our_error_too()
    {
        await using ServiceProvider container = _services.Build();

        Assert.That(
            () => container.GetRequiredKeyedService<CredentialProvider<BearerToken>>(Name.Warehouse),
            Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI1003").And.Message.Contains("a Name").And.Message.Contains("warehouse, lake, box").And.Message.Contains("CredentialProvider<BearerToken>").And.Message.Contains("Did you mean 'warehouse'?"));
        Assert.That(() => container.GetRequiredKeyedService<CredentialProvider<BearerToken>>(""), Throws.TypeOf<TokenExchangeException>());
    }

    [Test]
    public async Task A_kind_of_others_is_injected_once_it_is_added()
    {
        await using ServiceProvider container = _services.Build(services => services.AddCredentialKind<Ticket>().AddCredentialKind<Ticket>());

        CredentialProvider<Ticket> box = container.GetRequiredKeyedService<CredentialProvider<Ticket>>("box");

        Assert.That(await box.GetAsync(), Is.TypeOf<Ticket>());
        Assert.That(_services.Build().GetKeyedService<CredentialProvider<Ticket>>("box"), Is.Null, "without it the container knows nothing of the kind");
    }

    [Test]
    public async Task A_test_puts_a_provider_of_its_own_in_the_place_of_one()
    {
        var own = CredentialProvider.From("warehouse", _ => new ValueTask<BearerToken>(new BearerToken("own", DateTimeOffset.MaxValue)));
        await using ServiceProvider container = _services.Build(services => services.AddTransient<Report>().AddKeyedSingleton("warehouse", own));

        Assert.That(container.GetRequiredService<Report>().Warehouse, Is.SameAs(own));
        Assert.That(container.GetRequiredKeyedService<CredentialProvider<BearerToken>>("lake").Target, Is.EqualTo("lake"));
    }

    private sealed class Misspelt([FromKeyedServices("warehous")] CredentialProvider<BearerToken> warehouse)
    {
        public CredentialProvider<BearerToken> Warehouse => warehouse;
    }

    private sealed class Report([FromKeyedServices("warehouse")] CredentialProvider<BearerToken> warehouse)
    {
        public CredentialProvider<BearerToken> Warehouse => warehouse;
    }
}
