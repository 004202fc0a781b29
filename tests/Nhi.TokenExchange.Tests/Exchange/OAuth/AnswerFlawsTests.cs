namespace Nhi.TokenExchange.Tests.Exchange.OAuth;

/// <summary>What a token that was issued is refused for, word for word, and what it is not.</summary>
internal sealed class AnswerFlawsTests
{
    private const string Sql = """[{"type":"sql","actions":["read","write"]}]""";
    private const string CheckTheIssuer = "Check what the issuer issues for this kind of exchange.";
    private const string LetItGrant = "Let the issuer grant what is asked for.";

    private static readonly Action<Rfc8693Options> s_details = o => o.AuthorizationDetails = Sql;
    private static readonly Action<Rfc8693Options> s_audience = o => o.Audiences.Add("warehouse");

    /// <summary>What came, what was asked for, and the flaw of it; no code where there is none.</summary>
    internal sealed record Case(string What, string Body, string? Code = null, string? Detail = null, string? Hint = null)
    {
        public int Status { get; init; } = 200;

        public string Type { get; init; } = "application/json";

        public Action<Rfc8693Options>? Options { get; init; }

        public string[] Scopes { get; init; } = [];

        public bool IsTransient { get; init; }
    }

    private static IEnumerable<Case> OfTheForm()
    {
        yield return Malformed("another status", WireSamples.Answer(), "has status 201") with { Status = 201 };
        yield return Malformed("another status, and more that is wrong", WireSamples.Answer("\"error\":\"invalid_scope\",\"scope\":7"), "has status 201") with { Status = 201 };
        yield return Malformed("another kind", WireSamples.Answer(), "is not plain JSON but 'text/plain'") with { Type = "text/plain" };
        yield return Malformed("no kind", WireSamples.Answer(), "is not plain JSON but 'nothing'") with { Type = "" };
        yield return Malformed("an error", WireSamples.Answer("\"error\":\"invalid_scope\""), "has an 'error' beside what it grants");
        yield return Malformed("the first fault of two", WireSamples.Answer("\"scope\":7,\"x\":1,\"x\":2"), "has 'scope' that is no string");
        yield return Malformed("a name that is none", WireSamples.Answer("\"\\ud800\":1"), "has a string that is not valid Unicode");
        yield return Malformed("no life", Answer(WireSamples.Token, "\"expires_in\":0"), "says expires_in 0; 1 to 315360000 seconds are taken");
        yield return Malformed("a token in the scope", WireSamples.Answer("\"scope\":\"sql eyJ-thirteen-more\""), "has a token in its 'scope'");
        yield return Malformed("16 characters of one", WireSamples.Answer("\"scope\":\"eyJ-thirteen-mor\""), "has a token in its 'scope'");
        yield return Malformed("a scope that is none", WireSamples.Answer("\"scope\":\"a\\\\b\""), "has a 'scope' that RFC 6749 §3.3 does not allow");
        yield return Flaw("another type", Typed("mac"), "NHI5002", "'mac' came as token_type; 'Bearer' was expected", CheckTheIssuer);
        yield return Flaw("another type, and a token in the scope", Typed("mac", "\"scope\":\"eyJ-thirteen-more\""), "NHI5002", "'mac' came as token_type; 'Bearer' was expected", CheckTheIssuer);
        yield return Flaw("another type, and a scope that is none", Typed("mac", "\"scope\":\"a\\\\b\""), "NHI5002", "'mac' came as token_type; 'Bearer' was expected", CheckTheIssuer);
        yield return Flaw("no issued type", $$"""{"access_token":"{{WireSamples.Token}}","token_type":"Bearer"}""", "NHI5002", "'(absent)' came as issued_token_type; 'urn:ietf:params:oauth:token-type:access_token' was expected", CheckTheIssuer);
        yield return Right("an error without a name", WireSamples.Answer("\"error\":\"\""));
        yield return Right("a scope of many letters", WireSamples.Answer("\"scope\":\"read-all-orders-of-the-shop\""));
        yield return Right("15 characters", WireSamples.Answer("\"scope\":\"eyJ-thirteen-mo\""));
        yield return Right("a token of two parts", Answer("opaque.token"));
    }

    private static IEnumerable<Case> OfTheDetails()
    {
        yield return Flaw("absent", WireSamples.Answer(), "NHI5001", "authorization_details were asked for and are absent, so what was granted can't be known", LetItGrant) with { Options = s_details };
        yield return Flaw("not asked for", Granting(Sql), "NHI5001", "authorization_details came that were not asked for", LetItGrant);
        yield return Flaw("not an array", Granting("{}"), "NHI5001", "authorization_details came that are not an array", LetItGrant) with { Options = s_details };
        yield return Wider("wider", """[{"type":"sql","actions":["read","drop"]}]""", s_details);
        yield return Wider("an entry that does not limit", """[{"type":"sql","owners":["a"]}]""", o => o.AuthorizationDetails = """[{"type":"sql","owners":["a","b"]}]""");
        yield return Wider("a list where a text was asked for", """[{"type":"sql","actions":["read"]}]""", o => o.AuthorizationDetails = """[{"type":"sql","actions":"read"}]""");
        yield return Wider("a text where a list was asked for", """[{"type":"sql","actions":"read"}]""", s_details);
        yield return Flaw("a member twice", Granting("""[{"type":"sql","type":"sql"}]"""), "NHI5001", "authorization_details came that can't be read", LetItGrant) with { Options = s_details };
        yield return Flaw("wider in the answer, no array in the token", Granting("[7]", """{"authorization_details":{}}"""), "NHI5001", "authorization_details came that go beyond those asked for", LetItGrant) with { Options = s_details };
        yield return Flaw("wider in the token", Granting(Sql, """{"authorization_details":[7]}"""), "NHI5001", "authorization_details came that go beyond those asked for", LetItGrant) with { Options = s_details };
        yield return Final("a token that can't be read", Granting(Sql, """{"exp":"soon"}"""), "has an access_token whose details can't be believed: its payload has an 'exp' that is no instant") with { Options = s_details };
        yield return Right("null in the token", Granting(Sql, """{"authorization_details":null}""")) with { Options = s_details };
        yield return Right("one of two", Granting("""[{"type":"files"}]""")) with { Options = o => o.AuthorizationDetails = """[{"type":"sql"},{"type":"files"}]""" };
        yield return Right("a text", Granting("""[{"type":"sql","actions":"read"}]""")) with { Options = o => o.AuthorizationDetails = """[{"type":"sql","actions":"read"}]""" };
        foreach (string list in new[] { "locations", "actions", "datatypes", "privileges" })
        {
            yield return Right($"fewer {list}", Granting($$"""[{"type":"sql","{{list}}":["a"]}]""")) with { Options = o => o.AuthorizationDetails = $$"""[{"type":"sql","{{list}}":["a","b"]}]""" };
            yield return Right($"{list} that were left open", Granting($$"""[{"type":"sql","{{list}}":["a"]}]""")) with { Options = o => o.AuthorizationDetails = """[{"type":"sql"}]""" };
            yield return Wider($"no {list}", $$"""[{"type":"sql","{{list}}":[]}]""", o => o.AuthorizationDetails = """[{"type":"sql"}]""");
        }
    }

    private static IEnumerable<Case> OfTheToken()
    {
        yield return OfScope("a scope that is none", """{"scope":7}""", "has a 'scope' that is neither a text nor a list of texts");
        yield return OfScope("an scp that is none", """{"scp":[7]}""", "has a 'scp' that is neither a text nor a list of texts");
        yield return OfScope("a scope and an audience that are none", """{"aud":7,"scope":7}""", "has a 'scope' that is neither a text nor a list of texts");
        yield return OfScope("an audience that is none", """{"aud":7}""", "has an 'aud' that is neither a text nor a list of texts");
        yield return OfScope("null in a list", """{"scope":["sql",null]}""", "has a 'scope' that is neither a text nor a list of texts");
        yield return OfScope("2,001 scopes", $$"""{"scope":[{{Many("sql", 2001)}}]}""", "has a 'scope' that is neither a text nor a list of texts");
        yield return Right("2,000 scopes", Answer(WireSamples.Jwt($$"""{"scope":[{{Many("sql", 2000)}}]}"""))) with { Scopes = ["sql"] };
        yield return Flaw("another scope", Answer(WireSamples.Jwt("""{"scope":"sql admin"}""")), "NHI5001", "the token says scope 'admin' of itself, and 'sql' was asked for", "Let the issuer grant what is asked for, or ask for what it grants.") with { Scopes = ["sql"] };

        yield return OfAudience("no base64url", $"{WireSamples.Jwt("{}").Split('.')[0]}.aaaaa.c2ln", "is not base64url");
        yield return OfAudience("no object", WireSamples.Jwt("[]"), "is not a JSON object");
        yield return OfAudience("21 audiences", WireSamples.Jwt($$"""{"aud":[{{Many("warehouse", 21)}}]}"""), "has an 'aud' that is neither a text nor a list of texts");
        yield return OfAudience("an end of 41 characters", WireSamples.Jwt($$"""{"aud":"warehouse","exp":1767229200.{{new string('0', 30)}}}"""), "has an 'exp' that is no instant");
        yield return Right("20 audiences", Answer(WireSamples.Jwt($$"""{"aud":[{{Many("warehouse", 20)}}]}"""))) with { Options = s_audience };
        yield return Right("an end of 40 characters", Answer(WireSamples.Jwt($$"""{"aud":"warehouse","exp":1767229200.{{new string('0', 29)}}}"""))) with { Options = s_audience };
        yield return Right("an end of null", Answer(WireSamples.Jwt("""{"aud":"warehouse","exp":null}"""))) with { Options = s_audience };
        yield return Right("two parts", Answer("opaque.token")) with { Options = s_audience };
        yield return Right("no audience was asked for", Answer(WireSamples.Jwt("""{"aud":"any"}"""))) with { Options = o => o.AcceptedAudiences.Add("renamed") };
        yield return Flaw(
            "other audiences", Answer(WireSamples.Jwt("""{"aud":["one","two"]}""")), "NHI5005", "the token is for 'one', 'two'; 'warehouse', 'lake' was asked", "If the issuer names it so, add it to the audiences that are accepted.") with
        {
            Options = o =>
            {
                o.Audiences.Add("warehouse");
                o.Audiences.Add("lake");
            },
        };
    }

    private static IEnumerable<TestCaseData> Cases() => OfTheForm().Concat(OfTheDetails()).Concat(OfTheToken()).Select(one => new TestCaseData(one).SetArgDisplayNames(one.What));

    [TestCaseSource(nameof(Cases))]
    public async Task A_token_is_refused_in_these_words_or_not_at_all(Case one)
    {
        using var channel = new HttpMessageInvoker(new InMemoryIssuer(_ => InMemoryIssuer.Text(one.Body, one.Type, one.Status, ("x-request-id", "req-7"))));

        Issued<BearerToken> issued = await Exchanger(one.Options).ExchangeAsync(WireSamples.Request(channel, new ManualTimeProvider(), null, one.Scopes), default);

        using (Assert.EnterMultipleScope())
        {
            Assert.That((issued.Flaw?.Code, issued.Flaw?.Hint), Is.EqualTo((one.Code, one.Hint)));
            Assert.That(issued.Flaw?.Detail, Is.EqualTo(one.Detail));
            Assert.That((issued.Flaw?.IsTransient ?? false, issued.CorrelationId, issued.Flaw?.CorrelationId ?? "req-7"), Is.EqualTo((one.IsTransient, "req-7", "req-7")));
            Assert.That(one.Body, Does.Contain(issued.Credential.Reveal()), "it is not lost: it has to be ended");
        }
    }

    [TestCase(315_359_999, 315_359_999, false)]
    [TestCase(315_360_000, 300, true, Description = "ten years: nobody means that")]
    public async Task The_end_that_a_token_says_itself_is_taken_up_to_ten_years(int own, int taken, bool isAssumed)
    {
        var time = new ManualTimeProvider();
        using var channel = new HttpMessageInvoker(new InMemoryIssuer(_ => InMemoryIssuer.Json(Answer(WireSamples.Jwt($$"""{"exp":{{time.GetUtcNow().AddSeconds(own).ToUnixTimeSeconds()}}}""")))));

        Issued<BearerToken> issued = await Exchanger().ExchangeAsync(WireSamples.Request(channel, time), default);

        Assert.That((issued.Credential.ExpiresAt, issued.EndIsAssumed), Is.EqualTo((time.GetUtcNow().AddSeconds(taken), isAssumed)));
    }

    [Test]
    public void What_stands_behind_a_break_is_not_read()
    {
        const string broken = """{"x":[1,,2],"access_token":"opaque","token_type":"Bearer"}""";
        var issuer = new InMemoryIssuer(_ => InMemoryIssuer.Json(broken));
        using var channel = new HttpMessageInvoker(issuer);

        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(async () => await Exchanger().ExchangeAsync(WireSamples.Request(channel, new ManualTimeProvider()), default))!;

        Assert.That((failure.Code, failure.Detail, failure.Hint, failure.IsTransient, issuer.Requests.Count), Is.EqualTo((
            ErrorCodes.IssuerAnswerMalformed, $"The answer of host issuer.example ({broken.Length} bytes) is not well-formed JSON, or is nested too deep.",
            "Check that the URI is the token endpoint; a proxy or a sign-in page may have answered.", true, 2)));
    }

    [Test]
    public async Task A_proof_that_comes_back_is_told_with_what_to_do()
    {
        using var channel = new HttpMessageInvoker(new InMemoryIssuer(request => InMemoryIssuer.Json($$"""{"access_token":"{{request.Field("subject_token")}}","token_type":"Bearer","expires_in":3600}""")));

        Issued<BearerToken> issued = await Targets.Databricks(InMemoryIssuer.Address).ExchangeAsync(WireSamples.Request(channel, new ManualTimeProvider()), default);

        Assert.That((issued.Flaw?.Code, issued.Flaw?.Detail, issued.Flaw?.Hint), Is.EqualTo((
            ErrorCodes.ProofReturned, "What was issued is not what was asked for: the access_token is the very token that was sent, so nothing was exchanged. It is not handed out.",
            "Let the issuer issue a token of its own: check the federation policy, and that the proof is not a token of that issuer already.")));
    }

    private static TokenExchanger<BearerToken> Exchanger(Action<Rfc8693Options>? configure = null) => Targets.Rfc8693(InMemoryIssuer.Address, o =>
    {
        o.TokenEndpoint = InMemoryIssuer.TokenEndpoint;
        configure?.Invoke(o);
    });

    private static Case Right(string what, string body) => new(what, body);

    private static Case Malformed(string what, string body, string said) => new(what, body, "NHI4004", $"The answer {said}.") { IsTransient = true };

    // What an issuer puts into its tokens does not change by asking again.
    private static Case Final(string what, string body, string said) => new(what, body, "NHI4004", $"The answer {said}.");

    private static Case Flaw(string what, string body, string code, string said, string hint) => new(what, body, code, $"What was issued is not what was asked for: {said}. It is not handed out.", hint);

    private static Case Wider(string what, string granted, Action<Rfc8693Options> asked) =>
        Flaw(what, Granting(granted), "NHI5001", "authorization_details came that go beyond those asked for", LetItGrant) with { Options = asked };

    private static Case OfScope(string what, string payload, string fault) =>
        Final(what, Answer(WireSamples.Jwt(payload)), $"has an access_token whose scope can't be believed: its payload {fault}") with { Scopes = ["sql"] };

    private static Case OfAudience(string what, string token, string fault) =>
        Final(what, Answer(token), $"has an access_token whose audience can't be believed: its payload {fault}") with { Options = s_audience };

    private static string Granting(string details, string? payload = null) => Answer(payload is null ? "opaque" : WireSamples.Jwt(payload), $"\"expires_in\":3600,\"authorization_details\":{details}");

    private static string Typed(string type, string more = "\"x\":1") => $$"""{"access_token":"opaque","token_type":"{{type}}","issued_token_type":"urn:ietf:params:oauth:token-type:access_token",{{more}}}""";

    private static string Answer(string token, string more = "\"x\":1") => $$"""{"access_token":"{{token}}","token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:access_token",{{more}}}""";

    private static string Many(string text, int count) => string.Join(',', Enumerable.Repeat($"\"{text}\"", count));
}
