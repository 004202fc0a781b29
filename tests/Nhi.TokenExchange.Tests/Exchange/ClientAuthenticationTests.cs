using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Nhi.TokenExchange.Tests.Exchange.OAuth;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>RFC 7523 §2.2.</summary>
internal sealed class ClientAuthenticationTests
{
    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    [Test]
    public async Task A_signed_assertion_names_client_issuer_and_a_short_life()
    {
        var time = new SkippingTime();
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json(WireSamples.Answer()));
        await ExchangeAsync(issuer, time, o => (o.Client.Id, o.Client.Signer) = ("job-client", AssertionSigner.From(key, "k1")));
        ReceivedRequest request = issuer.Requests.Single();
        Assert.That(request.Field("client_assertion_type"), Is.EqualTo(AssertionType));
        Assert.That(request.Field("client_id"), Is.EqualTo("job-client"));
        string[] parts = request.Field("client_assertion")!.Split('.');
        JsonElement header = Json(parts[0]);
        JsonElement payload = Json(parts[1]);
        long now = time.GetUtcNow().ToUnixTimeSeconds();
        Assert.That(header.GetProperty("typ").GetString(), Is.EqualTo("JWT"));
        Assert.That(payload.GetProperty("iss").GetString(), Is.EqualTo("job-client"));
        Assert.That(payload.GetProperty("sub").GetString(), Is.EqualTo("job-client"));
        Assert.That(payload.GetProperty("aud").GetString(), Is.EqualTo(issuer.Uri.OriginalString));
        Assert.That(payload.GetProperty("exp").GetInt64() - now, Is.InRange(1, 60));
        Assert.That(key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256));
    }

    [Test]
    public async Task Audience_and_type_of_the_assertion_can_be_set_for_older_and_newer_servers()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json(WireSamples.Answer()));
        await ExchangeAsync(issuer, new SkippingTime(), o =>
        {
            (o.Client.Id, o.Client.Signer) = ("job-client", AssertionSigner.From(key, "k1"));
            (o.Client.AssertionAudience, o.Client.AssertionType) = ("https://issuer.example/token", "client-authentication+jwt");
        });
        string[] parts = issuer.Requests.Single().Field("client_assertion")!.Split('.');
        Assert.That(Json(parts[0]).GetProperty("typ").GetString(), Is.EqualTo("client-authentication+jwt"));
        Assert.That(Json(parts[1]).GetProperty("aud").GetString(), Is.EqualTo("https://issuer.example/token"));
    }

    [Test]
    public async Task Each_try_brings_an_assertion_of_its_own()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using ScriptedIssuer issuer = ScriptedIssuer.InOrder(ScriptedAnswer.Status(503), ScriptedAnswer.Nothing, ScriptedAnswer.Text("<html/>", "text/html"), ScriptedAnswer.Json(WireSamples.Answer()));
        await ExchangeAsync(issuer, new SkippingTime(), o => (o.Client.Id, o.Client.Signer) = ("job-client", AssertionSigner.From(key, "k1")));
        Assert.That(issuer.Requests, Has.Count.EqualTo(4));
        Assert.That(issuer.Requests.Select(request => Json(request.Field("client_assertion")!.Split('.')[1]).GetProperty("jti").GetString()).Distinct().Count(), Is.EqualTo(4));
        Assert.That(issuer.Requests.Select(request => request.Field("subject_token")), Is.All.EqualTo(WireSamples.Proof));
    }

    [Test]
    public async Task A_proof_of_an_identity_may_be_the_assertion_also_for_revocation()
    {
        var audiences = new List<string>();
        IWorkloadIdentitySource source = IdentitySources.From((request, _) =>
        {
            audiences.Add(request.Audience.ToString());
            return new(new SubjectToken(WireSamples.Jwt($$"""{"iss":"https://ci.example","sub":"repo","aud":"{{request.Audience}}","exp":1767229200}"""), SubjectTokenType.Jwt));
        });
        var time = new SkippingTime();
        await using var issuer = new ScriptedIssuer(request => request.Path == "/revoke" ? ScriptedAnswer.Status(200) : ScriptedAnswer.Json(WireSamples.Answer()));
        TokenExchanger<BearerToken> exchanger = Exchanger(issuer, o => (o.Client.Id, o.Client.Source) = ("job-client", source));
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        await exchanger.ExchangeAsync(WireSamples.Request(channel, time), default);
        await exchanger.RevokeAsync(WireSamples.Revocation(channel, time), default);
        Assert.That(issuer.Requests.Select(request => request.Field("client_assertion_type")), Is.All.EqualTo(AssertionType));
        Assert.That(issuer.Requests.Select(request => request.Field("client_assertion")), Is.All.Contain("."));
        Assert.That(audiences, Is.EqualTo(new[] { issuer.Uri.OriginalString, issuer.Uri.OriginalString }));
    }

    [TestCase(null, "NHI2009", "The source of the client's assertion gave null.")]
    [TestCase(1767225629, "NHI2003", "The proof (issuer 'https://ci.example', subject 'repo') ends at 2026-01-01T00:00:29.0000000+00:00; it is 2026-01-01T00:00:00.0000000+00:00. With less than 30 s left it is not presented.")]
    [TestCase(1767229200, null, null)]
    public async Task A_proof_as_the_assertion_is_looked_at_as_any_other(int? end, string? code, string? detail)
    {
        IWorkloadIdentitySource source = IdentitySources.From((request, _) => new(
            end is null ? null! : new SubjectToken(WireSamples.Jwt($$"""{"iss":"https://ci.example","sub":"repo","aud":"{{request.Audience}}","exp":{{end}}}"""), SubjectTokenType.Jwt)));
        var issuer = new InMemoryIssuer(_ => InMemoryIssuer.Json(WireSamples.Answer()));
        using var channel = new HttpMessageInvoker(issuer);
        TokenExchanger<BearerToken> exchanger = Targets.Rfc8693(InMemoryIssuer.Address, o => (o.TokenEndpoint, o.Client.Id, o.Client.Source) = (InMemoryIssuer.TokenEndpoint, "job-client", source));
        IdentityUnavailableException? refused = null;
        try
        {
            await exchanger.ExchangeAsync(WireSamples.Request(channel, new ManualTimeProvider()), default);
        }
        catch (IdentityUnavailableException unfit)
        {
            refused = unfit;
        }

        Assert.That((refused?.Code, refused?.Detail, issuer.Requests.Count), Is.EqualTo((code, detail, code is null ? 1 : 0)));
    }

    [Test]
    public void One_way_to_say_who_it_is_is_enough()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.That(() => Targets.JwtBearer(new Uri("https://issuer.example"), o =>
        {
            (o.Client.Id, o.Client.Signer) = ("c", AssertionSigner.From(key, "k1"));
            o.Client.Source = IdentitySources.From((_, _) => throw new InvalidOperationException());
        }), Throws.ArgumentException);
    }

    private static async Task ExchangeAsync(ScriptedIssuer issuer, SkippingTime time, Action<Rfc8693Options> configure)
    {
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        Assert.That((await Exchanger(issuer, configure).ExchangeAsync(WireSamples.Request(channel, time), default)).Flaw, Is.Null);
    }

    private static TokenExchanger<BearerToken> Exchanger(ScriptedIssuer issuer, Action<Rfc8693Options> configure) => Targets.Rfc8693(issuer.Uri, o =>
    {
        (o.TokenEndpoint, o.RevocationEndpoint) = (new Uri(issuer.Uri, "/token"), new Uri(issuer.Uri, "/revoke"));
        configure(o);
    });

    private static JsonElement Json(string part)
    {
        using JsonDocument document = JsonDocument.Parse(Base64Url.DecodeFromChars(part));
        return document.RootElement.Clone();
    }
}
