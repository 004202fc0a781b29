namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What an issuer may answer with status 200, and what comes of it.</summary>
internal sealed class TokenAnswerTests
{
    private const string AccessTokenType = "urn:ietf:params:oauth:token-type:access_token";

    [Test]
    public async Task A_life_counts_from_before_the_request_was_sent()
    {
        var time = new ManualTimeProvider();
        DateTimeOffset asked = time.GetUtcNow();
        await using var issuer = new ScriptedIssuer(_ =>
        {
            time.Advance(TimeSpan.FromSeconds(7));   // the answer takes its time
            return ScriptedAnswer.Json(WireSamples.Answer());
        });
        Issued<BearerToken> issued = await ExchangeAsync(issuer, time: time);
        Assert.That(issued.Credential.ExpiresAt, Is.EqualTo(asked.AddHours(1)));
        Assert.That(issued.Credential.Reveal(), Is.EqualTo(WireSamples.Token));
        Assert.That(issued.Flaw, Is.Null);
        Assert.That(issued.GrantedScopes, Is.Null);
    }

    [TestCase("3600", 3600)]
    [TestCase("1", 1)]
    [TestCase("\"3600\"", 3600)]
    [TestCase("\"0060\"", 60)]
    [TestCase("315360000", 315360000)]
    public async Task I8_A_life_in_whole_seconds_is_taken_also_as_a_string_of_digits(string expiresIn, int seconds)
    {
        var time = new ManualTimeProvider();
        Issued<BearerToken> issued = await ExchangeAsync(Answer(expiresIn: expiresIn), time);
        Assert.That(issued.Flaw, Is.Null);
        Assert.That(issued.Credential.ExpiresAt, Is.EqualTo(time.GetUtcNow().AddSeconds(seconds)));
    }

    [TestCase("0")]
    [TestCase("-1")]
    [TestCase("1e400")]
    [TestCase("3600.0")]
    [TestCase("3.6e3")]
    [TestCase("9223372036854775808")]
    [TestCase("99999999999")]
    [TestCase("315360001")]
    [TestCase("true")]
    [TestCase("{}")]
    [TestCase("[3600]")]
    [TestCase("\"abc\"")]
    [TestCase("\"\"")]
    [TestCase("\"+60\"")]
    [TestCase("\"-60\"")]
    [TestCase("\" 60\"")]
    [TestCase("\"NaN\"")]
    [TestCase("\"1e3\"")]
    public async Task I8_A_life_that_is_none_flaws_the_token_that_came_with_it(string expiresIn)
    {
        var time = new ManualTimeProvider();
        Issued<BearerToken> issued = await ExchangeAsync(Answer(expiresIn: expiresIn), time);
        Assert.That(issued.Flaw?.Code, Is.EqualTo(ErrorCodes.IssuerAnswerMalformed));
        Assert.That(issued.Flaw!.Message, Does.Contain("expires_in"));
        Assert.That(issued.Credential.ExpiresAt, Is.EqualTo(time.GetUtcNow().AddMinutes(5)));
    }

    [Test]
    public async Task I8_Without_expires_in_a_JWT_says_its_own_end()
    {
        var time = new ManualTimeProvider();
        DateTimeOffset end = time.GetUtcNow().AddMinutes(17);
        Issued<BearerToken> issued = await ExchangeAsync(Answer(token: WireSamples.Jwt($$"""{"exp":{{end.ToUnixTimeSeconds()}}}"""), expiresIn: null), time);
        Assert.That(issued.Credential.ExpiresAt, Is.EqualTo(end));
    }

    [TestCase("""{"exp":1e400}""")]
    [TestCase("""{"exp":-5}""")]
    [TestCase("""{"exp":"soon"}""")]
    [TestCase("""{"exp":1767225660,"exp":1999999999}""")]
    [TestCase("""{"exp":253402300799}""")]
    [TestCase("""{}""")]
    [TestCase("""[]""")]
    [TestCase("""not json""")]
    public async Task I8_Without_any_end_that_can_be_believed_a_short_life_is_taken(string payload)
    {
        var time = new ManualTimeProvider();
        Issued<BearerToken> issued = await ExchangeAsync(Answer(token: WireSamples.Jwt(payload), expiresIn: null), time);
        Assert.That(issued.Credential.ExpiresAt, Is.EqualTo(time.GetUtcNow().AddMinutes(5)));
    }

    [TestCase(30, 3600, 30)]
    [TestCase(7200, 3600, 3600)]
    public async Task Where_answer_and_token_both_say_an_end_the_earlier_one_counts(int own, int said, int taken)
    {
        var time = new ManualTimeProvider();
        string token = WireSamples.Jwt($$"""{"exp":{{time.GetUtcNow().AddSeconds(own).ToUnixTimeSeconds()}}.75}""");
        Issued<BearerToken> issued = await ExchangeAsync(Answer(token: token, expiresIn: $"{said}"), time);
        Assert.That(issued.Credential.ExpiresAt, Is.EqualTo(time.GetUtcNow().AddSeconds(taken)));
    }

    [TestCase(200, "text/plain", "text/plain")]
    [TestCase(200, "text/html", "text/html")]
    [TestCase(201, "application/json", "status 201")]
    public async Task A_token_in_an_answer_of_another_kind_is_flawed_but_not_lost(int status, string type, string told)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Text(WireSamples.Answer(), type, status));
        Issued<BearerToken> issued = await ExchangeAsync(issuer);
        AssertFlaw(issued, ErrorCodes.IssuerAnswerMalformed, told);
        Assert.That(issued.Credential.Reveal(), Is.EqualTo(WireSamples.Token));
        Assert.That(issuer.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_token_beside_an_error_is_flawed_but_not_lost()
    {
        Issued<BearerToken> issued = await ExchangeAsync(WireSamples.Answer("""
            "error":"invalid_scope"
            """));
        AssertFlaw(issued, ErrorCodes.IssuerAnswerMalformed, "'error'");
    }

    [Test]
    public async Task An_error_of_null_and_details_of_null_count_as_absent()
    {
        Issued<BearerToken> issued = await ExchangeAsync(WireSamples.Answer("""
            "error":null,"authorization_details":null
            """));
        Assert.That(issued.Flaw, Is.Null);
    }

    [TestCase("""[{"type":"\ud800"}]""")]
    [TestCase("""[{"type":"rows","\ud800":1}]""")]
    [TestCase("""[{"type":"rows","actions":["\ud800"]}]""")]
    public async Task Details_with_half_of_a_surrogate_pair_flaw_and_the_token_is_not_lost(string details)
    {
        Issued<BearerToken> issued = await ExchangeAsync(
            WireSamples.Answer($"\"authorization_details\":{details}"), options: o => o.AuthorizationDetails = """[{"type":"rows","actions":["read"]}]""");
        Assert.That(issued.Flaw?.Code, Is.EqualTo(ErrorCodes.WiderScope));
        Assert.That(issued.Credential.Reveal(), Is.EqualTo(WireSamples.Token));
    }

    [Test]
    public void Details_to_ask_for_with_half_of_a_surrogate_pair_are_a_wrong_option() =>
        Assert.That(() => Targets.Rfc8693(new Uri("https://issuer.example"), o => o.AuthorizationDetails = """[{"type":"rows","\ud800":1}]"""), Throws.ArgumentException);

    [TestCase("""{"aud":"warehouse","exp":"soon"}""", "'exp'")]
    [TestCase("""{"aud":"warehouse","exp":1e400}""", "'exp'")]
    [TestCase("""{"aud":"warehouse","aud":"other"}""", "twice")]
    [TestCase("""{"aud":"\ud800"}""", "'aud'")]
    [TestCase("""{"aud":["warehouse","\ud800"]}""", "'aud'")]
    [TestCase("""{"aud":{"x":"warehouse"}}""", "'aud'")]
    [TestCase("""{"aud":7}""", "'aud'")]
    [TestCase("""{"aud":"warehouse" """, "cut off|well-formed")]
    [TestCase("""[]""", "not a JSON object")]
    public async Task A_payload_that_can_not_be_read_does_not_switch_the_check_of_the_audience_off(string payload, string told)
    {
        string token = WireSamples.Jwt(payload);
        Issued<BearerToken> issued = await ExchangeAsync(Answer(token: token), options: o => o.Audiences.Add("warehouse"));
        Assert.That((issued.Flaw?.Code, issued.Flaw?.IsTransient), Is.EqualTo((ErrorCodes.IssuerAnswerMalformed, (bool?)false)));
        Assert.That(issued.Flaw!.Message, Does.Match(told));
        Assert.That(issued.Credential.Reveal(), Is.EqualTo(token));
        Assert.That((await ExchangeAsync(Answer(token: token))).Flaw, Is.Null, "nobody asked for an audience");
    }

    [Test]
    public async Task A_fraction_in_the_end_is_no_fault()
    {
        string token = WireSamples.Jwt("""{"aud":"other","exp":1999999999.5}""");
        Issued<BearerToken> issued = await ExchangeAsync(Answer(token: token), options: o => o.Audiences.Add("warehouse"));
        AssertFlaw(issued, ErrorCodes.WrongAudience, "It is not handed out.");
    }

    [Test]
    public async Task An_opaque_token_with_two_dots_says_no_audience()
    {
        Assert.That((await ExchangeAsync(Answer(token: "v1.opaque.token"), options: o => o.Audiences.Add("warehouse"))).Flaw, Is.Null);
    }

    [TestCase("", "text/html", "<html>sign in</html>", "text/html")]
    [TestCase("", "application/json", "", "not well-formed JSON")]
    [TestCase("", "application/json", "[]", "not a JSON object")]
    [TestCase("", "application/json", "null", "not a JSON object")]
    [TestCase("", "application/json", "{}", "no access_token")]
    [TestCase("", "application/json", """{"access_token":null}""", "no access_token")]
    [TestCase("", "application/json", """{"access_token":7}""", "'access_token' that is no string")]
    [TestCase("", "application/json", """{"access_token":""}""", "no access_token")]
    [TestCase("", "application/json", """{"access_token":"tokencan""", "not well-formed")]
    [TestCase("", "application/json", "{\"access_token\":\"\\ud800\"}", "not valid Unicode")]
    [TestCase("", "application/json", """{"a":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}""", "nested too deep")]
    [TestCase("Content-Encoding: gzip", "application/json", "{}", "gzip")]
    public async Task I5_An_answer_without_a_token_is_asked_for_once_more_and_never_quoted(string header, string type, string body, string told)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Text(body, type, 200, header.Length == 0 ? "X-Request-Id: abc" : header));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(issuer))!;
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.IssuerAnswerMalformed));
        Assert.That(failure.IsTransient);
        Assert.That(failure.Message, Does.Contain(told).And.Not.Contain("sign in").And.Not.Contain("tokencan"));
        Assert.That(issuer.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task I5_A_good_answer_after_a_malformed_one_is_taken()
    {
        await using ScriptedIssuer issuer = ScriptedIssuer.InOrder(ScriptedAnswer.Text("<html/>", "text/html"), ScriptedAnswer.Json(WireSamples.Answer()));
        Assert.That((await ExchangeAsync(issuer)).Flaw, Is.Null);
    }

    [TestCase("\\r\\n")]
    [TestCase("\\u0000")]
    [TestCase(" ")]
    [TestCase("\\\"")]
    [TestCase("é")]
    public async Task I15_A_token_that_can_not_be_a_header_is_refused_by_position(string character)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json(Answer(token: WireSamples.TokenCanary + character + "X-Evil")));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(issuer))!;
        Assert.That(failure.Message, Does.Contain($"position {WireSamples.TokenCanary.Length}"));
        Assert.That(failure.IsTransient, Is.False);
        WireSamples.AssertNoCanary(failure);
    }

    [Test]
    public async Task I15_A_token_of_many_kilobytes_is_refused_by_its_length()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json(Answer(token: WireSamples.TokenCanary + new string('a', 500_000))));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(issuer))!;
        Assert.That(failure.Message, Does.Contain("500011 characters"));
        WireSamples.AssertNoCanary(failure);
    }

    [TestCase("Bearer", null)]
    [TestCase("bEaReR", null)]
    [TestCase("mac", "'mac'")]
    [TestCase("DPoP", "'DPoP'")]
    [TestCase("N_A", "'N_A'")]
    [TestCase(null, "(absent)")]
    public async Task I12_A_token_type_is_bearer_in_any_case_of_letters(string? type, string? told)
    {
        Issued<BearerToken> issued = await ExchangeAsync(Answer(tokenType: type));
        AssertFlaw(issued, told is null ? null : ErrorCodes.WrongTokenType, told);
    }

    [Test]
    public async Task A_thing_that_is_no_access_token_may_be_N_A_if_it_was_asked_for()
    {
        const string asked = "urn:ietf:params:oauth:token-type:jwt";
        Issued<BearerToken> issued = await ExchangeAsync(Answer(tokenType: "N_A", issuedType: asked), options: o => o.RequestedTokenType = SubjectTokenType.Jwt);
        Assert.That(issued.Flaw, Is.Null);
    }

    [TestCase(AccessTokenType, null)]
    [TestCase("urn:ietf:params:oauth:token-type:jwt", null)]
    [TestCase("urn:ietf:params:oauth:token-type:refresh_token", "refresh_token")]
    [TestCase(null, "(absent)")]
    public async Task I13_An_issued_type_that_was_not_asked_for_flaws(string? type, string? told)
    {
        Issued<BearerToken> issued = await ExchangeAsync(Answer(issuedType: type));
        AssertFlaw(issued, told is null ? null : ErrorCodes.WrongTokenType, told);
    }

    [Test]
    public async Task I13_The_issued_type_must_be_the_requested_one()
    {
        Issued<BearerToken> issued = await ExchangeAsync(Answer(), options: o => o.RequestedTokenType = SubjectTokenType.IdToken);
        AssertFlaw(issued, ErrorCodes.WrongTokenType, "id_token");
    }

    [TestCase("""
        "access_token":"x"
        """, "'access_token' twice")]
    [TestCase("""
        "scope":"a","scope":"b"
        """, "'scope' twice")]
    [TestCase("""
        "scope":7
        """, "'scope' that is no string")]
    [TestCase("""
        "x":1,"x":2
        """, "'x' twice")]
    [TestCase("""
        "x":1,"x":2,"y":1,"y":2
        """, "'x' twice")]
    [TestCase("""
        "scope":7,"x":
        """, "'scope' that is no string")]
    [TestCase("""
        "x":
        """, "not well-formed")]
    [TestCase("\"x\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", "nested too deep")]
    public async Task I7_A_fault_of_form_flaws_the_token_that_was_read(string more, string told)
    {
        Issued<BearerToken> issued = await ExchangeAsync(WireSamples.Answer(more));
        AssertFlaw(issued, ErrorCodes.IssuerAnswerMalformed, told);
        Assert.That(issued.Credential.Reveal(), Is.EqualTo(WireSamples.Token));
    }

    [TestCase("""{"access_token":"words-that-open","words-that-open":1,"words-that-open":2}""")]
    [TestCase("""{"words-that-open":1,"words-that-open":2,"access_token":"words-that-open"}""")]
    public async Task A_name_that_stands_twice_is_not_told_where_it_is_the_token(string body)
    {
        Issued<BearerToken> issued = await ExchangeAsync(body);
        AssertFlaw(issued, ErrorCodes.IssuerAnswerMalformed, "has '[redacted]' twice");
        Assert.That((issued.Credential.Reveal(), issued.Flaw!.ToString().Contains("words-that-open", StringComparison.Ordinal)), Is.EqualTo(("words-that-open", false)));
    }

    [TestCase("\"sql\"", "sql")]
    [TestCase("\"sql  files\"", "files sql")]
    [TestCase("\"\"", null)]
    [TestCase("null", null)]
    public async Task Granted_scopes_are_read(string scope, string? granted)
    {
        Issued<BearerToken> issued = await ExchangeAsync(WireSamples.Answer($"\"scope\":{scope}"));
        Assert.That(issued.GrantedScopes?.ToString(), Is.EqualTo(granted));
        Assert.That(issued.Flaw, Is.Null);
    }

    [Test]
    public async Task A_token_that_stands_for_a_scope_or_a_type_too_is_not_shown()
    {
        const string words = "only-words-in-a-token";
        Issued<BearerToken> issued = await ExchangeAsync($$"""{"access_token":"{{words}}","token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","scope":"sql {{words}}"}""");
        Assert.That(issued.Flaw?.Message, Does.Contain("a token in its 'scope'").And.Not.Contain(words));
        Assert.That(issued.GrantedScopes, Is.Null);
        issued = await ExchangeAsync(WireSamples.Answer($"\"scope\":\"sql {WireSamples.Token[..20]}\""));
        Assert.That((issued.Flaw?.Code, issued.GrantedScopes), Is.EqualTo((ErrorCodes.IssuerAnswerMalformed, (ScopeSet?)null)), "a piece of the token");
        issued = await ExchangeAsync(WireSamples.Answer("\"scope\":\"eyJ" + new string('a', 20) + "\""));
        Assert.That((issued.Flaw?.Code, issued.GrantedScopes), Is.EqualTo((ErrorCodes.IssuerAnswerMalformed, (ScopeSet?)null)), "another token");
        issued = await ExchangeAsync(Answer(token: words, tokenType: words));
        AssertFlaw(issued, ErrorCodes.WrongTokenType, "'[redacted]' came as token_type");
    }

    [Test]
    public async Task A_scope_outside_the_grammar_flaws()
    {
        AssertFlaw(await ExchangeAsync(WireSamples.Answer("""
            "scope":"a\\b"
            """)), ErrorCodes.IssuerAnswerMalformed, "scope");
    }

    [TestCase("\"https://warehouse.example\"", true)]
    [TestCase("""["other","https://warehouse.example"]""", true)]
    [TestCase("\"warehouse\"", true)]
    [TestCase("\"renamed\"", true)]
    [TestCase("\"https://warehouse.example/\"", false)]
    [TestCase("\"other\"", false)]
    [TestCase("[]", true)]
    public async Task A_JWT_for_another_audience_than_the_asked_flaws(string audience, bool isRight)
    {
        string token = WireSamples.Jwt($$"""{"aud":{{audience}}}""");
        Issued<BearerToken> issued = await ExchangeAsync(Answer(token: token), options: o =>
        {
            o.Resources.Add(new Uri("https://warehouse.example"));
            o.Audiences.Add("warehouse");
            o.AcceptedAudiences.Add("renamed");
        });
        AssertFlaw(issued, isRight ? null : ErrorCodes.WrongAudience, isRight ? null : "was asked");
    }

    [Test]
    public async Task Without_an_asked_audience_any_is_right()
    {
        Assert.That((await ExchangeAsync(Answer(token: WireSamples.Jwt("""{"aud":"any"}""")))).Flaw, Is.Null);
    }

    private static string Answer(string? token = null, string? tokenType = "Bearer", string? issuedType = AccessTokenType, string? expiresIn = "3600")
    {
        string[] members =
        [
            $"\"access_token\":\"{token ?? WireSamples.Token}\"",
            tokenType is null ? "" : $"\"token_type\":\"{tokenType}\"",
            issuedType is null ? "" : $"\"issued_token_type\":\"{issuedType}\"",
            expiresIn is null ? "" : $"\"expires_in\":{expiresIn}",
        ];
        return $"{{{string.Join(',', members.Where(member => member.Length > 0))}}}";
    }

    private static void AssertFlaw(Issued<BearerToken> issued, string? code, string? told)
    {
        Assert.That(issued.Flaw?.Code, Is.EqualTo(code));
        if (issued.Flaw is null)
            return;
        Assert.That(issued.Flaw.Message, Does.Contain(told));
        WireSamples.AssertNoCanary(issued.Flaw);
    }

    private static async Task<Issued<BearerToken>> ExchangeAsync(string answer, TimeProvider? time = null, Action<Rfc8693Options>? options = null)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json(answer));
        Issued<BearerToken> issued = await ExchangeAsync(issuer, options, time);
        Assert.That(issuer.Requests, Has.Count.EqualTo(1));
        return issued;
    }

    private static async Task<Issued<BearerToken>> ExchangeAsync(ScriptedIssuer issuer, Action<Rfc8693Options>? options = null, TimeProvider? time = null)
    {
        TokenExchanger<BearerToken> exchanger = Targets.Rfc8693(issuer.Uri, o =>
        {
            o.TokenEndpoint = new Uri(issuer.Uri, "/token");
            options?.Invoke(o);
        });
        time ??= new SkippingTime();
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        return await exchanger.ExchangeAsync(WireSamples.Request(channel, time), default);
    }
}
