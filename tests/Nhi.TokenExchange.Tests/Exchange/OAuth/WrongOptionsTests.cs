using System.Security.Cryptography;
using Nhi.TokenExchange.Tests.Configuration;

namespace Nhi.TokenExchange.Tests.Exchange.OAuth;

/// <summary>What is said of options that are wrong, word for word.</summary>
internal sealed class WrongOptionsTests
{
    private const string GiveHttps = "Give an absolute https URI without user info and fragment; http is for loopback only.";
    private const string Remedy = "Write scheme and rest, without fragment, such as https://warehouse.example/orders or urn:example:orders (RFC 8707 §2).";

    private static IEnumerable<TestCaseData> Wrong()
    {
        var plain = new Uri("http://issuer.example/x");
        IWorkloadIdentitySource source = IdentitySources.From((_, _) => throw new InvalidOperationException());
        yield return Of("a token endpoint without TLS", o => o.TokenEndpoint = plain, $"TokenEndpoint is not https. {GiveHttps}");
        yield return Of("a revocation endpoint without TLS", o => (o.TokenEndpoint, o.RevocationEndpoint) = (InMemoryIssuer.TokenEndpoint, plain), $"RevocationEndpoint is not https. {GiveHttps}");
        yield return Of("a revocation endpoint alone", o => o.RevocationEndpoint = InMemoryIssuer.RevocationEndpoint, "RevocationEndpoint is set without TokenEndpoint. Set both, or none to discover them.");
        yield return Of("no resource", o => o.Resources.Add(null!), $"Resources[0] is null. {Remedy}");
        yield return Of("a space before it", o => o.Resources.Add(new Uri(" urn:example:orders")), $"Resources[0] has a character at position 0 that no URI has; percent-encode it. {Remedy}");
        yield return Of("a relative one", o => o.Resources.Add(new Uri("orders", UriKind.Relative)), $"Resources[0] is not an absolute URI. {Remedy}");
        yield return Of("a source without an id", o => o.Client.Source = source, "A client that sends an assertion needs Client.Id.");
        yield return Of("a signer and a source", o => (o.Client.Id, o.Client.Signer, o.Client.Source) = ("c", AssertionSigner.From(ECDsa.Create(ECCurve.NamedCurves.nistP256), "k1"), source), "Client.Signer and Client.Source are both set. Keep one.");
        foreach (string none in new[] { "[]", "7", "[7]", """[{"type":"a"},7]""", """[{"type":7}]""", """[{"typ":"a"}]""" })
            yield return OfDetails(none, "is not a JSON array of objects, each with a 'type' (RFC 9396 §2)");
        yield return OfDetails("""{"type":"a"}""", "is one JSON object, not an array of them (RFC 9396 §2)");
        foreach (string malformed in new[] { "no", """[{"type":"a","type":"b"}]""", """[{"type":"a","b":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}]""" })
            yield return OfDetails(malformed, "is not well-formed JSON, has a member twice, or is nested too deep");
        foreach (string list in new[] { "locations", "actions", "datatypes", "privileges" })
            yield return OfDetails($$"""[{"type":"a"},{"type":"b","{{list}}":[]}]""", $"has an empty list of '{list}', which limits nothing: leave it out, or say what there may be");

        static TestCaseData OfDetails(string details, string fault) => Of(details, o => o.AuthorizationDetails = details, $"AuthorizationDetails {fault}.");

        static TestCaseData Of(string what, Action<Rfc8693Options> configure, string said) => new TestCaseData(configure, said).SetArgDisplayNames(what);
    }

    [TestCaseSource(nameof(Wrong))]
    public void They_are_refused_in_these_words(Action<Rfc8693Options> configure, string said)
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() => Targets.Rfc8693(InMemoryIssuer.Address, configure))!;

        Assert.That(refused.Message, refused.ParamName is null ? Is.EqualTo(said) : Is.EqualTo($"{said} (Parameter '{refused.ParamName}')"));
    }

    [Test]
    public void A_secret_in_the_place_of_a_client_s_id_is_refused_and_not_shown()
    {
        string github = SmellPage.Make("ghp_[A-Za-z0-9]{36}", 3), databricks = SmellPage.Make("dapi[0-9a-f]{32}", 3);
        const string Rest = "is not shown): static secrets have no place here. Give the public id of the client; remove the secret and rotate it.";

        Assert.That(() => Targets.Rfc8693(InMemoryIssuer.Address, o => o.Client.Id = github), Throws.ArgumentException.With.Message.StartsWith($"Client.Id looks like a GitHub token (its value, 40 characters, {Rest}").And.Message.Not.Contain(github));
        Assert.That(() => Targets.JwtBearer(InMemoryIssuer.Address, o => o.Client.Id = github), Throws.ArgumentException.With.Message.Not.Contain(github));
        Assert.That(() => Targets.Databricks(InMemoryIssuer.Address, databricks), Throws.ArgumentException.With.Message.StartsWith($"clientId looks like a Databricks personal access token (its value, 36 characters, {Rest}").And.Message.Not.Contain(databricks));
        Assert.That(() => Targets.Rfc8693(InMemoryIssuer.Address, o => o.Client.Id = SmellPage.Make("[A-Za-z0-9]{90}", 3)), Throws.Nothing, "as long as the ids of some issuers");
    }

    [TestCase("""[{"type":"a","actions":"read"}]""")]
    [TestCase("""[{"type":"a","b":[[[[[[[[[[[[[[1]]]]]]]]]]]]]]}]""", Description = "16 deep")]
    public void Details_that_are_right_are_asked_for(string details) => Assert.That(Targets.Rfc8693(InMemoryIssuer.Address, o => o.AuthorizationDetails = details).AuthorizationDetails, Is.EqualTo(details));

    [TestCase(-1, 300, "UsableMargin is -00:00:01; give 00:00:00 to 00:10:00.")]
    [TestCase(601, 300, "UsableMargin is 00:10:01; give 00:00:00 to 00:10:00.")]
    [TestCase(10, 0, "DefaultLifetime is 00:00:00; give 00:00:01 to 1 day.")]
    [TestCase(10, 86_401, "DefaultLifetime is 1.00:00:01; give 00:00:01 to 1 day.")]
    public void A_grant_by_assertion_has_the_same_bounds(int margin, int life, string said) =>
        Assert.That(
            () => Targets.JwtBearer(InMemoryIssuer.Address, o => (o.UsableMargin, o.DefaultLifetime) = (TimeSpan.FromSeconds(margin), TimeSpan.FromSeconds(life))),
            Throws.ArgumentException.With.Message.StartsWith(said));
}
