using System.Net;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>B76 to B83, through a whole job: an issuer's answer that can't be right is told by field, cause and remedy, and what came with it is ended. B82, B84, B85, B88 and B89 are beside what they test.</summary>
internal sealed class BadAnswerTests
{
    [TestCase("text/html")]
    [TestCase("text/plain")]
    [TestCase(null)]
    public async Task B76_A_page_instead_of_an_answer_is_told_by_its_kind_and_not_quoted(string? contentType)
    {
        await using AnsweredJob job = await AnsweredJob.StartAsync(_ => AnsweringWire.Of("<html>Sign in to the guest network</html>"u8.ToArray(), contentType));

        TokenExchangeException failure = await job.FailureAsync();

        Assert.That(failure.Message, Does.Contain($"is not plain JSON but '{contentType ?? "nothing"}'").And.Not.Contain("Sign in"));
        Assert.That(failure.Hint, Does.Contain("a proxy or a sign-in page"));
        AssertMalformed(failure, job, asked: 2, isTransient: true);
    }

    [TestCase("{}", "has no access_token")]
    [TestCase("""{"access_token":null}""", "has no access_token")]
    [TestCase("""{"access_token":""}""", "has no access_token")]
    [TestCase("""{"access_token":7}""", "'access_token' that is no string")]
    public async Task B77_An_answer_without_a_token_names_the_field_and_the_issuers_correlation_id(string body, string told)
    {
        await using AnsweredJob job = await AnsweredJob.StartAsync(_ =>
        {
            HttpResponseMessage response = AnsweringWire.Json(body);
            response.Headers.Add("x-request-id", "c-7");
            return response;
        });

        TokenExchangeException failure = await job.FailureAsync();

        Assert.That(failure.Message, Does.Contain(told).And.Contain("c-7"));
        Assert.That(failure.CorrelationId, Is.EqualTo("c-7"));
        Assert.That(failure.Hint, Does.Contain("token endpoint"));
        AssertMalformed(failure, job, asked: 2, isTransient: true);
    }

    [TestCase("\\r\\nX-Evil: 1")]
    [TestCase("\\u0000")]
    [TestCase(" ")]
    [TestCase("\\u00e9")]
    public async Task B78_A_token_that_no_header_can_hold_is_told_by_position_and_length(string character)
    {
        string token = AnsweredJob.Token;
        await using AnsweredJob job = await AnsweredJob.StartAsync(AnsweredJob.Answer(token + character));

        TokenExchangeException failure = await job.FailureAsync();

        Assert.That(failure.Message, Does.Match($"access_token .* position {token.Length} of [0-9]+ ").And.Contain("RFC 6750"));
        AssertMalformed(failure, job, asked: 1, isTransient: false);
    }

    [TestCase("-1")]
    [TestCase("0")]
    [TestCase("1e400")]
    [TestCase("\"abc\"")]
    [TestCase("true")]
    [TestCase("9223372036854775808")]
    [TestCase("99999999999")]
    [TestCase("\"NaN\"")]
    public async Task B79_A_life_that_is_none_is_told_and_the_token_that_came_with_it_is_ended(string life)
    {
        await using AnsweredJob job = await AnsweredJob.StartAsync(AnsweredJob.Answer(life: $"\"expires_in\":{life}"));

        TokenExchangeException failure = await job.FailureAsync();

        Assert.That(failure.Message, Does.Contain("expires_in").And.Match("no whole number|to 315360000 seconds"));
        AssertMalformed(failure, job, asked: 1, isTransient: true, AnsweredJob.Token);
    }

    [TestCase("\"token_type\":\"mac\"", "'mac' came as token_type")]
    [TestCase("\"token_type\":\"N_A\"", "'N_A' came as token_type")]
    [TestCase("", "'(absent)' came as token_type")]
    public async Task B80_A_token_of_another_type_is_named_and_ended(string type, string told)
    {
        await using AnsweredJob job = await AnsweredJob.StartAsync(AnsweredJob.Answer(type: type));

        TokenExchangeException failure = await job.FailureAsync();

        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo((ErrorCodes.WrongTokenType, false)));
        Assert.That(failure.Message, Does.Contain(told).And.Contain("'Bearer' was expected"));
        Assert.That(failure.Hint, Does.Contain("what the issuer issues"));
        AssertEnded(job, AnsweredJob.Token);
    }

    [Test]
    public async Task B80_A_bearer_is_one_in_any_case_of_letters()
    {
        await using AnsweredJob job = await AnsweredJob.StartAsync(AnsweredJob.Answer(type: "\"token_type\":\"bEaReR\""));

        Assert.That((await job.Warehouse.GetAsync()).Reveal(), Is.EqualTo(AnsweredJob.Token));
        job.AssertNothingSaid();
    }

    [TestCase("read write admin")]
    [TestCase("admin")]
    public async Task B81_Other_scopes_than_the_asked_are_told_beside_them_and_the_token_is_ended(string granted)
    {
        await using AnsweredJob job = await AnsweredJob.StartAsync(AnsweredJob.Answer(more: $"\"scope\":\"{granted}\""));

        TokenExchangeException failure = await job.FailureAsync();

        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo((ErrorCodes.WiderScope, false)));
        Assert.That(failure.Message, Does.Contain("Scopes 'read write' were asked for").And.Contain($"'{ScopeSet.Parse(granted)}' were granted"));
        Assert.That(failure.Hint, Does.Contain("ask for what it grants"));
        AssertEnded(job, AnsweredJob.Token);
    }

    [Test]
    public async Task B82_A_refusal_that_repeats_proof_and_token_is_redacted_in_every_field()
    {
        string escaped = string.Concat(Enumerable.Repeat("\\u001b[31m\\n", 700));
        await using AnsweredJob job = await AnsweredJob.StartAsync(_ => AnsweringWire.Json(
            $$"""{"error":"{{AnsweredJob.Token}} {{escaped}}","error_description":"got {{AnsweredJob.Jwt("{}")}}{{escaped}}","error_uri":"https://issuer.example/?t={{AnsweredJob.Token}}"}""", HttpStatusCode.BadRequest));

        TokenExchangeException failure = await job.FailureAsync();

        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo((ErrorCodes.IssuerRefused, false)));
        Assert.That(failure.IssuerError, Does.StartWith("[redacted]").And.Length.LessThan(70));
        Assert.That(failure.Message.Where(char.IsControl), Is.Empty);
        Assert.That(failure.Message.Length, Is.LessThan(900));
        Assert.That(job.Wire.Asked, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task B83_A_token_that_stands_there_twice_is_refused_and_ended()
    {
        await using AnsweredJob job = await AnsweredJob.StartAsync(AnsweredJob.Answer(more: "\"access_token\":\"other\""));

        TokenExchangeException failure = await job.FailureAsync();

        Assert.That(failure.Message, Does.Contain("'access_token' twice"));
        AssertMalformed(failure, job, asked: 1, isTransient: true, AnsweredJob.Token);
    }

    [Test]
    public async Task B84_A_packed_answer_that_nobody_asked_for_is_not_unpacked_and_named()
    {
        await using AnsweredJob job = await AnsweredJob.StartAsync(_ =>
        {
            HttpResponseMessage response = AnsweringWire.Of([0x1f, 0x8b, 8, 0, 0, 0, 0, 0], "application/json");
            response.Content.Headers.ContentEncoding.Add("gzip");
            return response;
        });

        TokenExchangeException failure = await job.FailureAsync();

        Assert.That(failure.Message, Does.Contain("is not plain JSON but 'gzip'"));
        AssertMalformed(failure, job, asked: 2, isTransient: true);
    }

    private static void AssertMalformed(TokenExchangeException failure, AnsweredJob job, int asked, bool isTransient, params string[] ended)
    {
        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo((ErrorCodes.IssuerAnswerMalformed, isTransient)));
        Assert.That(job.Wire.Asked, Has.Count.EqualTo(asked));
        AssertEnded(job, ended);
    }

    private static void AssertEnded(AnsweredJob job, params string[] tokens)
    {
        Assert.That(job.Wire.Revoked, Is.EqualTo(tokens));
        Assert.That(job.Audit.Kinds.Count(kind => kind == AuditEventKind.Revoked), Is.EqualTo(tokens.Length));
        Assert.That(job.Audit.Kinds, Has.No.Member(AuditEventKind.Issued));
    }
}
