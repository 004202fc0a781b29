namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What each kind of target cannot do without.</summary>
internal sealed class TargetsTests
{
    private static readonly Uri Server = new("https://server.example");
    private static readonly DateTimeOffset Until = new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static IEnumerable<TestCaseData> WithoutOne()
    {
        yield return Of(() => Targets.Rfc8693(null!), "issuer");
        yield return Of(() => Targets.JwtBearer(null!), "issuer");
        yield return Of(() => Targets.Databricks(null!), "workspace");
        yield return Of(() => Targets.AwsSts(null!, "eu-west-1"), "roleArn");
        yield return Of(() => Targets.AwsSts("arn:aws:iam::123456789012:role/orders", null!), "region");
        yield return Of(() => Targets.GoogleSts(null!), "provider");
        yield return Of(() => Targets.VaultLogin(null!), "server");
        yield return Of(() => Targets.VaultSecret(null!, "database/creds/orders"), "server");
        yield return Of(() => Targets.VaultSecret(Server, null!), "path");
        yield return Of(() => Targets.VaultStaticKey(Server, null!, "billing team", Until), "path");
        yield return Of(() => Targets.KeyVaultStaticKey(Server, null!, "billing team", Until), "name");

        static TestCaseData Of(Func<TokenExchanger> make, string name) => new TestCaseData(make).Returns(name).SetArgDisplayNames($"without {name}");
    }

    [TestCaseSource(nameof(WithoutOne))]
    public string? It_is_refused_by_its_name(object make) => Assert.Throws<ArgumentNullException>(() => ((Func<TokenExchanger>)make)())!.ParamName;
}
