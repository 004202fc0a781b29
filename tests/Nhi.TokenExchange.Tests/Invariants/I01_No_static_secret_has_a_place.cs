using System.Reflection;

namespace Nhi.TokenExchange.Tests.Invariants;

/// <summary>DESIGN 5.1: no static secret in the public API; one identity has one named source; nothing guesses.</summary>
public class I01_No_static_secret_has_a_place
{
    [Test]
    public void No_public_member_is_named_like_a_static_secret()
    {
        string[] names = ["ClientSecret", "Password", "ApiKey", "AccountKey", "PrivateKey", "ConnectionString", "SharedKey"];
        Assert.That(
            from type in typeof(JobSession).Assembly.GetExportedTypes()
            from member in type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            where names.Any(name => member.Name.Contains(name, StringComparison.OrdinalIgnoreCase))
            select $"{type.Name}.{member.Name}",
            Is.Empty);
    }

    [Test]
    public void An_identity_is_declared_once()
    {
        var time = new ManualTimeProvider();
        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(() => JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time)).Identity("job", TestProofs.Source(time))
            .Target("warehouse", new TestExchanger(time), "job")));
        Assert.That(error!.Message, Does.Contain("Identities:job").And.Contain("declared twice"));
    }

    [Test]
    public void A_target_names_its_identity_and_nothing_is_guessed()
    {
        var time = new ManualTimeProvider();
        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(() => JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time))
            .Target("warehouse", new TestExchanger(time), _ => { })));
        Assert.That(error!.Message, Does.Contain("Targets:warehouse").And.Contain("neither Identity nor Through"));
    }
}
