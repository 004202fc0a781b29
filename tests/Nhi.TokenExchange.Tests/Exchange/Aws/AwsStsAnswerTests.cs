using System.Globalization;

namespace Nhi.TokenExchange.Tests.Exchange.Aws;

/// <summary>Answers of STS that are odd, bent or hostile: what is read of them, and what is said.</summary>
internal sealed class AwsStsAnswerTests
{
    internal const string Role = "arn:aws:iam::123456789012:role/team/orders-loader";

    private static readonly string Usual = TimeProvider.System.GetUtcNow().AddMinutes(50).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    internal static TokenExchanger<AwsSessionCredentials> At(Uri sts) => Targets.AwsSts(Role, "eu-central-1", o => o.Endpoint = sts);

    internal static string Answer(string? key = "ASIA0000000000000000", string? secret = WireSamples.TokenCanary + "-key", string? token = WireSamples.TokenCanary + "-token", string? expiration = null, string more = "") =>
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult><AssumedRoleUser><AssumedRoleId>AROA1:job-1</AssumedRoleId></AssumedRoleUser><Credentials>"
        + $"{Element("AccessKeyId", key)}{Element("SecretAccessKey", secret)}{Element("SessionToken", token)}{Element("Expiration", expiration ?? Usual)}{more}</Credentials></AssumeRoleWithWebIdentityResult>"
        + "<ResponseMetadata><RequestId>6f0c8d1e-0000-4000-8000-000000000001</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>";

    private static string Element(string name, string? text) => text is null ? "" : $"<{name}>{text}</{name}>";

    private static async Task<Issued<AwsSessionCredentials>> ExchangeAsync(string body, string type = "text/xml")
    {
        await using var sts = new ScriptedIssuer(ScriptedAnswer.Text(body, type));
        using HttpMessageInvoker channel = WireSamples.Backchannel(TimeProvider.System);
        return await At(sts.Uri).ExchangeAsync(WireSamples.Request(channel), default);
    }

    [Test]
    public async Task An_answer_is_read_by_its_elements_whatever_stands_around_them()
    {
        Issued<AwsSessionCredentials> issued = await ExchangeAsync($"\ufeff<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- one -->{Answer()}\n");

        Assert.That((issued.Flaw, issued.Credential.AccessKeyId, issued.Credential.AssumedRoleId, issued.CorrelationId), Is.EqualTo(((TokenExchangeException?)null, "ASIA0000000000000000", "AROA1:job-1", "6f0c8d1e-0000-4000-8000-000000000001")));
        Assert.That(issued.Credential.ExpiresAt.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), Is.EqualTo(Usual));
    }

    [TestCase("")]
    [TestCase("<html><body>Sign in</body></html>")]
    [TestCase("{\"access_token\":\"x\"}")]
    [TestCase("<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><r>&b;</r>")]
    [TestCase("<!DOCTYPE r SYSTEM \"http://127.0.0.1:9/x.dtd\"><r/>")]
    [TestCase("<a><b><c><d><e><f><g><h><i>deep</i></h></g></f></e></d></c></b></a>")]
    [TestCase("<AssumeRoleWithWebIdentityResponse>")]
    public void B86_What_is_no_answer_of_STS_is_told_as_such(string body)
    {
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(body))!;

        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo(("NHI4004", true)));
        Assert.That(refused.Message, Does.Contain("The answer of host 127.0.0.1").And.Not.Contain("aaaa"));
    }

    // The file is there; who read it would have a session token of it.
    [TestCase("<!DOCTYPE a [<!ENTITY t \"of-the-entity\">]>")]
    [TestCase("<!DOCTYPE a [<!ENTITY t SYSTEM \"file:///proc/sys/kernel/ostype\">]>")]
    public void B86_An_entity_is_not_read(string type) =>
        Assert.That(() => ExchangeAsync(type + Answer(token: "&t;")), Throws.TypeOf<TokenExchangeException>().With.Message.Contains("is not well-formed XML"));

    [TestCase("AccessKeyId")]
    [TestCase("SecretAccessKey")]
    [TestCase("SessionToken")]
    public void B86_An_answer_without_a_part_of_the_credentials_names_the_part(string name)
    {
        string body = Answer(name == "AccessKeyId" ? null : "ASIA1", name == "SecretAccessKey" ? null : "s", name == "SessionToken" ? null : "t");

        Assert.That(() => ExchangeAsync(body), Throws.TypeOf<TokenExchangeException>().With.Message.Contains($"has no {name}"));
    }

    [Test]
    public async Task B86_An_answer_in_another_namespace_is_one_that_is_not_handed_out()
    {
        Issued<AwsSessionCredentials> issued = await ExchangeAsync(Answer().Replace("https://sts.amazonaws.com/doc/2011-06-15/", "https://sts.example/doc/", StringComparison.Ordinal));

        Assert.That((issued.Flaw?.Code, issued.Flaw?.Message.Contains("another namespace", StringComparison.Ordinal)), Is.EqualTo(("NHI4004", true)));
    }

    // The session exists, whatever its end is said to be: it is told of, and not handed out.
    [TestCase("2199-01-01T00:00:00Z")]
    [TestCase("tomorrow")]
    [TestCase("2026-01-01T00:00:00")]
    [TestCase("1767225600")]
    public async Task B87_An_end_that_can_not_be_one_makes_the_session_one_that_is_not_handed_out(string expiration)
    {
        Issued<AwsSessionCredentials> issued = await ExchangeAsync(Answer(expiration: expiration));

        Assert.That((issued.Flaw?.Code, issued.EndIsAssumed), Is.EqualTo(("NHI4004", true)));
        Assert.That(issued.Flaw!.Message, Does.Contain($"Expiration '{expiration}'"));
    }

    [Test]
    public async Task B87_An_end_in_the_past_is_dead_on_arrival_in_a_job()
    {
        await using var sts = new ScriptedIssuer(ScriptedAnswer.Text(Answer(expiration: "2020-01-01T00:00:00Z"), "text/xml"));
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload).Target("archive", At(sts.Uri), "job").Jitter(() => 0).EndOnSignals(false));

        Assert.That(() => job.Provider<AwsSessionCredentials>("archive").GetAsync().AsTask(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI5003"));
    }

    [Test]
    public async Task A_part_that_stands_twice_makes_it_a_session_that_is_not_handed_out()
    {
        Issued<AwsSessionCredentials> issued = await ExchangeAsync(Answer(more: "<SessionToken>another-one</SessionToken>"));

        Assert.That(issued.Flaw!.Message, Does.Contain("has 'SessionToken' twice").And.Not.Contain("another-one"));
    }

    [Test]
    public void A_part_that_no_header_can_hold_is_named_by_its_position_and_not_shown()
    {
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(Answer(secret: WireSamples.TokenCanary + " x")))!;

        Assert.That(refused.Message, Does.Contain("secret access key has a character at position"));
        WireSamples.AssertNoCanary(refused);
    }

    [Test]
    public async Task An_id_that_is_none_is_not_shown()
    {
        Issued<AwsSessionCredentials> issued = await ExchangeAsync(Answer().Replace("AROA1:job-1", "AROA1:job 1\n", StringComparison.Ordinal));

        Assert.That((issued.Credential.AssumedRoleId, issued.Flaw), Is.EqualTo(((string?)null, (TokenExchangeException?)null)));
    }
}
