using System.Globalization;
using System.Net;
using System.Text;
using Nhi.TokenExchange.Tests.Http;

namespace Nhi.TokenExchange.Tests.Exchange.Aws;

/// <summary>Answers of STS that are odd, bent or hostile: what is read of them, and what is said.</summary>
internal sealed class AwsStsAnswerTests
{
    internal const string Role = "arn:aws:iam::123456789012:role/team/orders-loader";

    private static readonly string Usual = TimeProvider.System.GetUtcNow().AddMinutes(50).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private const string TooMuch = "is nested too deep, or has too many elements";
    private const string Twice = "has 'SessionToken' twice";

    // With the six of the usual answer 58 more texts are the 64 that are read. What stands beside the keys is four deep of the eight.
    private static readonly (string Name, string More, string? Fault)[] Additions =
    [
        ("as many elements as are read", Elements(58), null),
        ("one more", Elements(59), TooMuch),
        ("as deep as is read", "<a><b><c><d><e>x</e></d></c></b></a>", null),
        ("one deeper", "<a><b><c><d><e><f>x</f></e></d></c></b></a>", TooMuch),
        ("an element without an end tag", "<Nothing/>", null),
        ("what is no element", "\n  <!-- one --><?two?>\n<Other><![CDATA[three]]></Other>\n", null),
        ("a long text", $"<Other>{new string('x', 250 * 1024)}</Other>", null),
        ("two parts twice", "<SessionToken>x</SessionToken><AccessKeyId>x</AccessKeyId>", Twice),
        ("a part twice, and too deep", "<SessionToken>x</SessionToken><a><b><c><d><e><f>x</f></e></d></c></b></a>", Twice),
        ("a part twice, and no XML", "<SessionToken>x</SessionToken><", Twice),
        ("no XML", "<", "is not well-formed XML"),
        ("a text that is longer than any answer", $"<Other>{new string('x', 256 * 1024)}</Other>", "is not well-formed XML"),
    ];

    internal static TokenExchanger<AwsSessionCredentials> At(Uri sts) => Targets.AwsSts(Role, "eu-central-1", o => o.Endpoint = sts);

    internal static string Answer(string? key = "ASIA0000000000000000", string? secret = WireSamples.TokenCanary + "-key", string? token = WireSamples.TokenCanary + "-token", string? expiration = null, string more = "") =>
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult><AssumedRoleUser><AssumedRoleId>AROA1:job-1</AssumedRoleId></AssumedRoleUser><Credentials>"
        + $"{Element("AccessKeyId", key)}{Element("SecretAccessKey", secret)}{Element("SessionToken", token)}{Element("Expiration", expiration ?? Usual)}{more}</Credentials></AssumeRoleWithWebIdentityResult>"
        + "<ResponseMetadata><RequestId>6f0c8d1e-0000-4000-8000-000000000001</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>";

    /// <summary>Asks an STS that is nothing but a function, with no back channel before it.</summary>
    internal static async Task<Issued<AwsSessionCredentials>> AskAsync(Wire sts, Func<HttpMessageInvoker, ExchangeRequest>? request = null, Action<AwsStsOptions>? options = null)
    {
        using var channel = new HttpMessageInvoker(sts);
        TokenExchanger<AwsSessionCredentials> exchanger = Targets.AwsSts(Role, "eu-central-1", o =>
        {
            o.Endpoint = new Uri("https://sts.test");
            options?.Invoke(o);
        });
        return await exchanger.ExchangeAsync(request is null ? WireSamples.Request(channel) : request(channel), default);
    }

    private static Task<Issued<AwsSessionCredentials>> AskAsync(string body, TimeProvider? time = null) =>
        AskAsync(Wire.Always(HttpStatusCode.OK, body), channel => WireSamples.Request(channel, time));

    private static string Element(string name, string? text) => text is null ? "" : $"<{name}>{text}</{name}>";

    private static string Elements(int count) => string.Concat(Enumerable.Range(0, count).Select(n => $"<e{n}>x</e{n}>"));

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

    [Test]
    public async Task B86_What_else_stands_in_an_answer_is_passed_over_up_to_a_bound_and_the_first_fault_is_told()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((string name, string more, string? fault) in Additions)
            {
                Issued<AwsSessionCredentials> issued = await AskAsync(Answer(more: more));

                Assert.That(issued.Flaw?.Detail, Is.EqualTo(fault is null ? null : $"The answer of host sts.test {fault}."), name);
                if (fault is null)
                    Assert.That(issued.CorrelationId, Is.EqualTo("6f0c8d1e-0000-4000-8000-000000000001"), name);
            }
        }
    }

    [Test]
    public async Task B86_Bytes_that_are_no_UTF_8_are_no_answer_and_what_is_none_says_where_to_look()
    {
        byte[] body = [.. Encoding.UTF8.GetBytes(Answer()), 0xFF];
        var sts = new Wire(_ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(body) });

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => AskAsync(sts))!;
        Issued<AwsSessionCredentials> without = await AskAsync(Answer(expiration: ""));
        TokenExchangeException unsendable = Assert.ThrowsAsync<TokenExchangeException>(() => AskAsync(Answer(key: "ASIA 1")))!;

        const string Hint = "Check Endpoint, if it is set; a proxy or a sign-in page may have answered.";
        using (Assert.EnterMultipleScope())
        {
            Assert.That((refused.Code, refused.Detail, refused.Hint, refused.IsTransient, refused.CorrelationId), Is.EqualTo(("NHI4004", "The answer of host sts.test is not well-formed XML.", Hint, true, (string?)null)));
            Assert.That((without.Flaw?.Detail, without.Flaw?.Hint, without.Flaw?.IsTransient, without.EndIsAssumed), Is.EqualTo(("The answer of host sts.test has no Expiration.", Hint, true, true)));
            Assert.That((unsendable.Code, unsendable.Hint, unsendable.IsTransient), Is.EqualTo(("NHI4004", Hint, false)));
            Assert.That(unsendable.Detail, Is.EqualTo("The answer of host sts.test has credentials that can't be sent: The access key id has a character at position 4 of 6 that can't stand in a header."));
        }
    }

    [TestCase("words-of-the-proof")]
    [TestCase("words-of-the-key")]
    [TestCase("words-of-the-token")]
    public async Task A_secret_that_stands_elsewhere_in_an_answer_is_taken_out_of_what_is_said(string secret)
    {
        string body = Answer(secret: "words-of-the-key", token: "words-of-the-token", expiration: secret).Replace("6f0c8d1e-0000-4000-8000-000000000001", secret, StringComparison.Ordinal);
        Issued<AwsSessionCredentials> ofTheBody = await AskAsync(Wire.Always(HttpStatusCode.OK, body), channel => WireSamples.RequestWith("words-of-the-proof", channel));
        var sts = new Wire(_ =>
        {
            HttpResponseMessage answer = Wire.Answer(HttpStatusCode.OK, body);
            answer.Headers.TryAddWithoutValidation("x-amzn-requestid", secret);
            return answer;
        });
        Issued<AwsSessionCredentials> ofTheHeader = await AskAsync(sts, channel => WireSamples.RequestWith("words-of-the-proof", channel));

        Assert.That((ofTheBody.CorrelationId, ofTheHeader.CorrelationId), Is.EqualTo(("[redacted]", "[redacted]")));
        Assert.That(ofTheBody.Flaw!.Message, Does.Contain("Expiration '[redacted]'").And.Not.Contain(secret));
    }

    // Whole, and a part of it.
    [TestCase("words-of-the-proof", "words-of-the-proof")]
    [TestCase("words-of-the-key", "key.words-of-the-key")]
    [TestCase("words-of-the-token", "of-the-token")]
    public async Task A_secret_that_stands_for_a_name_is_no_name(string secret, string said)
    {
        string usual = Answer(secret: "words-of-the-key", token: "words-of-the-token");
        Issued<AwsSessionCredentials> session = await ReadAsync(usual.Replace("AROA1:job-1", $"AROA1:{said}", StringComparison.Ordinal));
        Issued<AwsSessionCredentials> key = await ReadAsync(usual.Replace("ASIA0000000000000000", said, StringComparison.Ordinal));
        Issued<AwsSessionCredentials> element = await ReadAsync(usual.Replace("</Credentials>", $"<{said}>1</{said}><{said}>2</{said}></Credentials>", StringComparison.Ordinal));

        using (Assert.EnterMultipleScope())
        {
            Assert.That((session.Credential.AssumedRoleId, session.RevocationHandle, session.Flaw), Is.EqualTo(((string?)null, "ASIA0000000000000000", (TokenExchangeException?)null)));
            Assert.That((key.RevocationHandle, key.Flaw?.Detail), Is.EqualTo(((string?)null, "The answer of host sts.test has an AccessKeyId that repeats a secret.")));
            Assert.That(element.Flaw!.Message, Does.Contain("[redacted]' twice").And.Not.Contain(secret).And.Not.Contain("of-the-token"));
        }

        static Task<Issued<AwsSessionCredentials>> ReadAsync(string body) => AskAsync(Wire.Always(HttpStatusCode.OK, body), channel => WireSamples.RequestWith("words-of-the-proof", channel));
    }

    // It is asked at 00:00 for an hour.
    [TestCase("2026-01-01T00:40:00Z", 40)]
    [TestCase("2026-01-01T00:40:00.000Z", 40)]
    [TestCase("2026-01-01T00:40:00.000000000Z", 40)]
    [TestCase("2026-01-01T00:40:00+00:00", 40)]
    [TestCase("2026-01-01T02:40:00+02:00", 40)]
    [TestCase("2025-12-31T23:40:00-01:00", 40)]
    [TestCase("2026-01-01T01:00:00Z", 60)]
    [TestCase("2026-01-01T23:59:59Z", 60)]
    [TestCase("2026-01-02T00:00:00Z", null)]
    [TestCase("2026-01-01T00:40:00", null)]
    [TestCase("01/01/2026 00:40:00", null)]
    [TestCase("2026-01-01 00:40:00", null)]
    [TestCase("2026-01-01", null)]
    [TestCase("Thu, 01-Jan-2026 00:40:00", null)]
    public async Task B87_An_end_is_an_instant_with_its_zone_within_a_day(string expiration, int? minutes)
    {
        var time = new ManualTimeProvider();

        Issued<AwsSessionCredentials> issued = await AskAsync(Answer(expiration: expiration), time);

        Assert.That(issued.Credential.ExpiresAt - time.GetUtcNow(), Is.EqualTo(TimeSpan.FromMinutes(minutes ?? 60)));
        Assert.That((issued.EndIsAssumed, issued.Flaw?.Detail), Is.EqualTo((minutes is null, minutes is null
            ? $"The answer of host sts.test has an Expiration '{expiration}' that is no end of a session: an instant within a day, such as 2026-01-01T00:00:00Z."
            : null)));
    }

    [TestCase("AROA1:job-1", true)]
    [TestCase("ARO!1:job-1", false)]
    [TestCase(":job-1", false)]
    [TestCase("AROA1", false)]
    [TestCase("AROA1:job:1", false)]
    [TestCase("AROA1:j", false)]
    public async Task The_id_of_an_assumed_role_is_letters_and_digits_and_the_name_of_a_session(string id, bool isOne)
    {
        Issued<AwsSessionCredentials> issued = await AskAsync(Answer().Replace("AROA1:job-1", id, StringComparison.Ordinal));

        Assert.That((issued.Credential.AssumedRoleId, issued.Flaw), Is.EqualTo((isOne ? id : null, (TokenExchangeException?)null)));
    }
}
