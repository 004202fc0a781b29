using System.Net;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>What oidc-provider does, seen by a client that is not ours.</summary>
internal sealed class OidcProviderServerTests
{
    private readonly WorkloadKey _clientKey = new("client");
    private readonly WorkloadKey _platformKey = new("platform");
    private OidcProviderServer? _server;
    private RawClient? _client;

    private RawClient Client => _client!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await OidcProviderServer.StartAsync(new Dictionary<string, WorkloadKey> { ["job"] = _clientKey }, _platformKey);
        _client = new RawClient(_server.Issuer, "job", _clientKey);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        _client?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
        _clientKey.Dispose();
        _platformKey.Dispose();
    }

    [Test]
    public async Task Discovery_names_the_grant_and_the_endpoints()
    {
        JsonObject metadata = await Client.DiscoverAsync();

        Assert.Multiple(() =>
        {
            Assert.That((string?)metadata["issuer"], Is.EqualTo(_server!.Issuer.GetLeftPart(UriPartial.Authority)));
            Assert.That(metadata["grant_types_supported"]!.AsArray().Select(grant => (string?)grant), Does.Contain(RawClient.TokenExchange));
            Assert.That(metadata["token_endpoint_auth_methods_supported"]!.AsArray().Select(method => (string?)method), Is.EqualTo(new[] { "private_key_jwt" }));
            Assert.That((string?)metadata["revocation_endpoint"], Is.Not.Null);
            Assert.That((string?)metadata["introspection_endpoint"], Is.Not.Null);
        });
    }

    [Test]
    public async Task A_proof_is_exchanged_introspected_and_revoked()
    {
        (HttpStatusCode status, JsonObject answer) = await Client.ExchangeAsync(Proof(), RawClient.JwtType, ("audience", OidcProviderServer.Resource), ("scope", "read"));
        Assert.That(status, Is.EqualTo(HttpStatusCode.OK), answer.ToJsonString());
        string token = (string)answer["access_token"]!;
        JsonObject seen = await Client.IntrospectAsync(token);
        HttpStatusCode revoked = await Client.RevokeAsync(token);

        await Assert.MultipleAsync(async () =>
        {
            Assert.That((string?)answer["issued_token_type"], Is.EqualTo(RawClient.AccessTokenType));
            Assert.That((string?)answer["scope"], Is.EqualTo("read"));
            Assert.That((bool)seen["active"]!, Is.True);
            Assert.That((string?)seen["sub"], Is.EqualTo("orders-nightly"));
            Assert.That((string?)seen["aud"], Is.EqualTo(OidcProviderServer.Resource));
            Assert.That(revoked, Is.EqualTo(HttpStatusCode.OK));
            Assert.That(await Client.IsActiveAsync(token), Is.False);
        });
    }

    [Test]
    public async Task Its_own_token_is_a_proof_until_it_is_revoked()
    {
        string own = await Client.ClientCredentialsAsync(("resource", OidcProviderServer.Resource), ("scope", "read"));
        (HttpStatusCode before, _) = await Client.ExchangeAsync(own, RawClient.AccessTokenType, ("resource", OidcProviderServer.Resource));
        await Client.RevokeAsync(own);
        (HttpStatusCode after, JsonObject answer) = await Client.ExchangeAsync(own, RawClient.AccessTokenType, ("resource", OidcProviderServer.Resource));

        Assert.Multiple(() =>
        {
            Assert.That(before, Is.EqualTo(HttpStatusCode.OK));
            Assert.That(after, Is.EqualTo(HttpStatusCode.BadRequest));
            Assert.That((string?)answer["error"], Is.EqualTo("invalid_grant"));
        });
    }

    [Test]
    public async Task It_refuses_what_is_wrong_by_the_RFCs_names()
    {
        using var stranger = new WorkloadKey("client");
        using var impostor = new RawClient(_server!.Issuer, "job", stranger);
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(await ErrorAsync(Client, Proof(), "https://elsewhere.example/"), Is.EqualTo("invalid_target"));
            Assert.That(await ErrorAsync(Client, "garbage", OidcProviderServer.Resource), Is.EqualTo("invalid_grant"));
            Assert.That(await ErrorAsync(Client, stranger.Sign(OidcProviderServer.WorkloadIssuer, "orders-nightly", Audience), OidcProviderServer.Resource), Is.EqualTo("invalid_grant"));
            Assert.That(await ErrorAsync(impostor, Proof(), OidcProviderServer.Resource), Is.EqualTo("invalid_client"));
        });
    }

    private string Audience => _server!.Issuer.GetLeftPart(UriPartial.Authority);

    private string Proof() => _platformKey.Sign(OidcProviderServer.WorkloadIssuer, "orders-nightly", Audience);

    private static async Task<string?> ErrorAsync(RawClient client, string proof, string audience) =>
        (string?)(await client.ExchangeAsync(proof, RawClient.JwtType, ("audience", audience))).Answer["error"];
}
