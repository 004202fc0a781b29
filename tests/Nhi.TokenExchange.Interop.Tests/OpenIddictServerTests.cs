using System.Net;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>What OpenIddict does, seen by a client that is not ours.</summary>
internal sealed class OpenIddictServerTests
{
    private readonly WorkloadKey _clientKey = new("client");
    private OpenIddictServer? _server;
    private RawClient? _client;

    private RawClient Client => _client!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await OpenIddictServer.StartAsync(new Dictionary<string, WorkloadKey> { ["job"] = _clientKey });
        _client = new RawClient(_server.Issuer, "job", _clientKey);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        _client?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
        _clientKey.Dispose();
    }

    [Test]
    public async Task Discovery_names_the_grant_and_the_endpoints()
    {
        JsonObject metadata = await Client.DiscoverAsync();

        Assert.Multiple(() =>
        {
            Assert.That((string?)metadata["issuer"], Is.EqualTo(_server!.Issuer.AbsoluteUri));
            Assert.That(metadata["grant_types_supported"]!.AsArray().Select(grant => (string?)grant), Does.Contain(RawClient.TokenExchange));
            Assert.That(metadata["token_endpoint_auth_methods_supported"]!.AsArray().Select(method => (string?)method), Does.Contain("private_key_jwt"));
            Assert.That((string?)metadata["revocation_endpoint"], Is.Not.Null);
            Assert.That((string?)metadata["introspection_endpoint"], Is.Not.Null);
        });
    }

    [TestCase("audience")]
    [TestCase("resource")]
    public async Task Its_own_token_is_exchanged_introspected_and_revoked(string parameter)
    {
        string own = await Client.ClientCredentialsAsync(("scope", "read write"));
        (HttpStatusCode status, JsonObject answer) = await Client.ExchangeAsync(own, RawClient.AccessTokenType, (parameter, OpenIddictServer.Audience), ("scope", "read"));
        Assert.That(status, Is.EqualTo(HttpStatusCode.OK), answer.ToJsonString());
        string token = (string)answer["access_token"]!;
        JsonObject seen = await Client.IntrospectAsync(token);
        HttpStatusCode revoked = await Client.RevokeAsync(token);

        await Assert.MultipleAsync(async () =>
        {
            Assert.That((string?)answer["issued_token_type"], Is.EqualTo(RawClient.AccessTokenType));
            Assert.That((bool)seen["active"]!, Is.True);
            Assert.That((string?)seen["sub"], Is.EqualTo("job"));
            Assert.That((string?)seen["aud"], Is.EqualTo(OpenIddictServer.Audience));
            Assert.That(revoked, Is.EqualTo(HttpStatusCode.OK));
            Assert.That(await Client.IsActiveAsync(token), Is.False);
        });
    }

    [TestCase("client-authentication+jwt", HttpStatusCode.OK)]
    [TestCase("JWT", HttpStatusCode.Unauthorized)]
    [TestCase(null, HttpStatusCode.Unauthorized)]
    public async Task It_takes_only_assertions_that_say_in_typ_what_they_are(string? type, HttpStatusCode expected)
    {
        using var client = new RawClient(_server!.Issuer, "job", _clientKey) { AssertionType = type };

        (HttpStatusCode status, JsonObject answer) = await client.PostAsync("token_endpoint", ("grant_type", "client_credentials"));

        Assert.That(status, Is.EqualTo(expected), (string?)answer["error_description"]);
    }

    [Test]
    public async Task It_refuses_what_is_wrong_by_the_RFCs_names()
    {
        string own = await Client.ClientCredentialsAsync();
        string revoked = await Client.ClientCredentialsAsync();
        await Client.RevokeAsync(revoked);
        using var stranger = new WorkloadKey("client");
        using var impostor = new RawClient(_server!.Issuer, "job", stranger);
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(await ErrorAsync(Client, own, "https://elsewhere.example/"), Is.EqualTo("invalid_target"));
            Assert.That(await ErrorAsync(Client, own, OpenIddictServer.ForbiddenAudience), Is.EqualTo("invalid_target").Or.EqualTo("invalid_request"));
            Assert.That(await ErrorAsync(Client, "garbage", OpenIddictServer.Audience), Is.EqualTo("invalid_grant"));
            Assert.That(await ErrorAsync(Client, revoked, OpenIddictServer.Audience), Is.EqualTo("invalid_grant"));
            Assert.That(await ErrorAsync(impostor, own, OpenIddictServer.Audience), Is.EqualTo("invalid_client"));
        });
    }

    private static async Task<string?> ErrorAsync(RawClient client, string proof, string audience) =>
        (string?)(await client.ExchangeAsync(proof, RawClient.AccessTokenType, ("audience", audience))).Answer["error"];
}
