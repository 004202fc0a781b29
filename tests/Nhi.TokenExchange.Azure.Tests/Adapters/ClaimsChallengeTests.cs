using System.Buffers.Text;
using System.Net;
using System.Text;

namespace Nhi.TokenExchange.Tests.Adapters;

[TestFixture(false)]
[TestFixture(true)]
internal sealed class ClaimsChallengeTests(bool sync)
{
    // Bytes that base64 writes with '+' and '/', base64url with '-' and '_'.
    private const string Claims = """{"access_token":{"nbf":{"essential":true,"value":"1604106651"},"x":"???>>>"}}""";

    [Test]
    public async Task A_claims_challenge_is_answered_once_and_then_beforehand()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.InTurn(() => Wire.Challenge(Insufficient(Base64(Claims))), () => new(HttpStatusCode.OK));
        TestClient client = Client(wire, job);
        int[] statuses = [(await client.SendAsync()).Status, (await client.SendAsync()).Status];

        Assert.That(statuses, Is.EqualTo([200, 200]));
        Assert.That(job.Issuer.Requests.Select(request => request.Claims), Is.EqualTo([null, Claims]));
        Assert.That((wire.All.Count, wire.Tokens[0] == wire.Tokens[1], wire.Tokens[1] == wire.Tokens[2]), Is.EqualTo((3, false, true)));
    }

    [Test]
    public async Task The_credential_that_lacks_the_claims_stays_good_for_others()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        BearerToken own = await job.Lake.GetAsync();
        using Wire wire = Wire.InTurn(() => Wire.Challenge(Insufficient(Base64(Claims))), () => new(HttpStatusCode.OK));
        await Client(wire, job).SendAsync();

        Assert.That(await job.Lake.GetAsync(), Is.SameAs(own));
    }

    [Test]
    public async Task The_successor_of_the_refused_credential_is_tried_without_claims()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.InTurn(() => Wire.Challenge(Insufficient(Base64(Claims))), () => new(HttpStatusCode.OK));
        TestClient client = Client(wire, job);
        await client.SendAsync();
        job.Lake.Reject(await job.Lake.GetAsync());
        await client.SendAsync();

        Assert.That(wire.Tokens[2], Is.EqualTo((await job.Lake.GetAsync()).Reveal()));
    }

    [Test]
    public async Task A_second_challenge_goes_to_the_caller()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.InTurn(() => Wire.Challenge(Insufficient(Base64(Claims))));

        Assert.That(((await Client(wire, job).SendAsync()).Status, wire.All.Count, job.Issuer.Requests.Count), Is.EqualTo((401, 2, 2)));
    }

    [Test]
    public async Task A_plain_401_on_a_credential_with_claims_rejects_that_one_and_keeps_the_claims()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.InTurn(() => Wire.Challenge(Insufficient(Base64(Claims))), () => new(HttpStatusCode.OK), () => new(HttpStatusCode.Unauthorized), () => new(HttpStatusCode.OK));
        TestClient client = Client(wire, job);
        await client.SendAsync();

        Assert.That((await client.SendAsync()).Status, Is.EqualTo(200));
        Assert.That(job.Issuer.Requests.Select(request => request.Claims), Is.EqualTo([null, Claims, Claims]));
    }

    [Test]
    public async Task Where_the_target_takes_no_claims_the_caller_gets_the_401()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        job.Issuer.TakesClaims = false;
        using Wire wire = Wire.InTurn(() => Wire.Challenge(Insufficient(Base64(Claims))));

        Assert.That(((await Client(wire, job).SendAsync()).Status, wire.All.Count), Is.EqualTo((401, 1)));
    }

    [Test]
    public async Task Where_the_provider_has_but_one_credential_the_caller_gets_the_401()
    {
        CredentialProvider<BearerToken> provider = CredentialProvider.From("lake", _ => new ValueTask<BearerToken>(new BearerToken("one", DateTimeOffset.UnixEpoch.AddYears(100))));
        using Wire wire = Wire.InTurn(() => Wire.Challenge(Insufficient(Base64(Claims))));
        var client = new TestClient(TestClient.On(wire).AddCredential(provider, new Uri(LakeJob.Origin)), sync);

        Assert.That(((await client.SendAsync()).Status, wire.All.Count), Is.EqualTo((401, 1)));
    }

    [TestCaseSource(nameof(Answered))]
    public async Task A_challenge_is_found_in(string header) => Assert.That(await ClaimsAskedAsync(header), Is.EqualTo(Claims));

    [TestCaseSource(nameof(Unanswered))]
    public async Task No_challenge_is_found_in(string header) => Assert.That(await ClaimsAskedAsync(header), Is.Null);

    private static IEnumerable<TestCaseData> Answered()
    {
        yield return Named("base64", Insufficient(Base64(Claims)));
        yield return Named("base64url", Insufficient(Base64Url.EncodeToString(Bytes(Claims))));
        yield return Named("base64url, padded", Insufficient(Base64(Claims).Replace('+', '-').Replace('/', '_')));
        yield return Named("base64 without padding", Insufficient(Base64(Claims).TrimEnd('=')));
        yield return Named("another scheme first", $"Basic realm=\"x\", {Insufficient(Base64(Claims))}");
        yield return Named("another scheme after", $"{Insufficient(Base64(Claims))}, Basic realm=\"x\"");
        yield return Named("a token68 before", $"Negotiate abc==, {Insufficient(Base64(Claims))}");
        yield return Named("other case and white space", $"bearer  ERROR = \"insufficient_claims\" ,Claims= \"{Base64(Claims)}\"");
        yield return Named("an escaped quote in another parameter", $"Bearer realm=\"a \\\"b, error=\", error=\"insufficient_claims\", claims=\"{Base64(Claims)}\"");
    }

    private static IEnumerable<TestCaseData> Unanswered()
    {
        yield return Named("no claims", "Bearer error=\"insufficient_claims\"");
        yield return Named("another error", $"Bearer error=\"invalid_token\", claims=\"{Base64(Claims)}\"");
        yield return Named("no error", $"Bearer claims=\"{Base64(Claims)}\"");
        yield return Named("another scheme", $"PoP error=\"insufficient_claims\", claims=\"{Base64(Claims)}\"");
        yield return Named("parameters of two challenges", $"Bearer error=\"insufficient_claims\", Basic claims=\"{Base64(Claims)}\"");
        yield return Named("parameters of two challenges, Bearer last", $"PoP error=\"insufficient_claims\", Bearer claims=\"{Base64(Claims)}\"");
        yield return Named("claims twice", $"Bearer error=\"insufficient_claims\", claims=\"{Base64(Claims)}\", claims=\"{Base64(Claims)}\"");
        yield return Named("not base64", Insufficient("{\"a\":1}"));
        yield return Named("white space within", Insufficient(Base64(Claims).Insert(8, " ")));
        yield return Named("not JSON", Insufficient(Base64("{\"access_token\":")));
        yield return Named("no object", Insufficient(Base64("[1]")));
        yield return Named("two objects", Insufficient(Base64("{}{}")));
        yield return Named("not UTF-8", Insufficient(Convert.ToBase64String([.. Bytes("{\"a\":\""), 0xff, .. Bytes("\"}")])));
        yield return Named("too long", Insufficient(Base64($"{{\"a\":\"{new string('x', 5000)}\"}}")));
        yield return Named("nested too deep", Insufficient(Base64($"{{\"a\":{new string('[', 40)}{new string(']', 40)}}}")));
        yield return Named("an open quote", $"Bearer error=\"insufficient_claims\", claims=\"{Base64(Claims)}");
        yield return Named("nothing", "");
        yield return Named("a separator", "Bearer ;");
    }

    private static TestCaseData Named(string name, string header) => new TestCaseData(header).SetArgDisplayNames(name);

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Base64(string text) => Convert.ToBase64String(Bytes(text));

    private static string Insufficient(string claims) =>
        $"Bearer realm=\"\", authorization_uri=\"https://login.example/common/oauth2/authorize\", error=\"insufficient_claims\", claims=\"{claims}\"";

    private async Task<string?> ClaimsAskedAsync(string header)
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.InTurn(() => Wire.Challenge(header), () => new(HttpStatusCode.OK));
        await Client(wire, job).SendAsync();
        return job.Issuer.Requests.Count == 1 ? null : job.Issuer.Requests[^1].Claims;
    }

    private TestClient Client(Wire wire, LakeJob job) => new(TestClient.On(wire).AddCredential(job.Lake), sync);
}
