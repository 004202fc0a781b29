using Nhi.TokenExchange.Tests.Http;

namespace Nhi.TokenExchange.Tests.Exchange.KeyVault;

/// <summary>What Key Vault is asked for a secret, and what is read of its answer. The vault is nothing but a function.</summary>
internal sealed class KeyVaultAnswerTests
{
    internal const string Secret = "https://acme-legacy.vault.azure.net/secrets/mail-api";
    internal const string Token = "words-that-open-a-vault";   // no text that looks like a token: what is taken out of a message is what was sent

    private const string Version = "0123456789abcdef0123456789abcdef";
    private const string Other = "fedcba9876543210fedcba9876543210";
    private const string Key = "words-that-open-the-mail";
    private const string Usual = $"\"value\":\"{Key}\",\"id\":\"{Secret}/{Version}\"";

    // The clock stands at 1767225600 seconds since 1970.
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Until = Now.AddDays(60);

    // What stands beside value and id, and until when the key is handed out; null: as long as the target says.
    private static readonly (string Attributes, DateTimeOffset? End)[] Fit =
    [
        ("", null),
        (",\"attributes\":null", null),
        (",\"attributes\":{}", null),
        (",\"attributes\":{\"enabled\":true,\"nbf\":null,\"exp\":null,\"recoveryLevel\":\"Purgeable\"},\"tags\":{\"exp\":1}", null),
        (",\"attributes\":{\"enabled\":true,\"nbf\":0,\"exp\":253402300799}", null),
        (",\"attributes\":{\"nbf\":1767225600,\"exp\":1767225601}", Now.AddSeconds(1)),
        (",\"attributes\":{\"exp\":\"1767225660\"}", Now.AddMinutes(1)),
    ];

    private static readonly (string Attributes, string Code, string Said, string Hint)[] Unfit =
    [
        ("\"enabled\":false", "NHI5009", $"The secret {Secret} is disabled. It is not handed out.", "Let its owner enable it, or store the next version."),
        ("\"enabled\":\"true\"", "NHI5009", $"The secret {Secret} is disabled. It is not handed out.", "Let its owner enable it, or store the next version."),
        ("\"enabled\":null", "NHI5009", $"The secret {Secret} is disabled. It is not handed out.", "Let its owner enable it, or store the next version."),
        ("\"exp\":1767225600", "NHI5003", $"The static key at {Secret} has expired at 2026-01-01T00:00:00.0000000+00:00, as the vault says; it is 2026-01-01T00:00:00.0000000+00:00 now. It is not handed out.", "Let its owner, Mail team, store the next version."),
        ("\"exp\":0", "NHI5003", $"The static key at {Secret} has expired at 1970-01-01T00:00:00.0000000+00:00, as the vault says; it is 2026-01-01T00:00:00.0000000+00:00 now. It is not handed out.", "Let its owner, Mail team, store the next version."),
        ("\"nbf\":1767225601", "NHI5003", $"The static key at {Secret} is not to be used before 2026-01-01T00:00:01.0000000+00:00, as the vault says; it is 2026-01-01T00:00:00.0000000+00:00 now. It is not handed out.", "Let its owner, Mail team, store the next version."),
        ("\"nbf\":253402300799", "NHI5003", $"The static key at {Secret} is not to be used before 9999-12-31T23:59:59.0000000+00:00, as the vault says; it is 2026-01-01T00:00:00.0000000+00:00 now. It is not handed out.", "Let its owner, Mail team, store the next version."),
    ];

    private const string OutOfRange = "has attributes with an instant out of range";
    private const string AnotherSecret = "is of another secret than the one that was asked for (id)";
    private const string NoVersion = "names no version of the secret (id)";

    private static readonly (string Body, string Said)[] Senseless =
    [
        ("", "is not well-formed JSON, or is nested too deep"),
        ("[]", "is not a JSON object"),
        ($"{{{Usual}", "is not well-formed JSON, or is nested too deep"),
        ($"{{\"id\":\"{Secret}/{Version}\"}}", "has no value"),
        ($"{{\"value\":null,\"id\":\"{Secret}/{Version}\"}}", "has no value"),
        ($"{{\"value\":7,\"id\":\"{Secret}/{Version}\"}}", "has 'value' that is no string"),
        ($"{{{Usual},\"value\":\"another\"}}", "has 'value' twice"),
        ($"{{{Usual},\"{Key}\":1,\"{Key}\":2}}", "has '[redacted]' twice"),
        ($"{{{Usual},\"attributes\":{{\"{Key}\":1,\"{Key}\":2}}}}", "has attributes that can't be read: it has '[redacted]' twice"),
        ($"{{{Usual},\"attributes\":7}}", "has attributes that can't be read: it is not a JSON object"),
        ($"{{{Usual},\"attributes\":{{\"exp\":\"soon\"}}}}", "has attributes that can't be read: it has 'exp' that is no whole number of 64 bits"),
        ($"{{{Usual},\"attributes\":{{\"nbf\":1.5}}}}", "has attributes that can't be read: it has 'nbf' that is no whole number of 64 bits"),
        ($"{{{Usual},\"attributes\":{{\"exp\":-1}}}}", OutOfRange),
        ($"{{{Usual},\"attributes\":{{\"nbf\":-1}}}}", OutOfRange),
        ($"{{{Usual},\"attributes\":{{\"exp\":253402300800}}}}", OutOfRange),
        ($"{{{Usual},\"attributes\":{{\"nbf\":253402300800}}}}", OutOfRange),
        ($"{{{Usual},\"attributes\":{{\"exp\":-1,\"exp\":1767225660}}}}", OutOfRange),
        ($"{{{Usual},\"attributes\":{{\"exp\":-1}},\"value\":\"another\"}}", OutOfRange),
        ($"{{\"attributes\":{{\"exp\":-1}},\"id\":\"{Secret}/{Version}\"}}", OutOfRange),
        ($"{{\"value\":\"{Key}\"}}", AnotherSecret),
        (Of("mail api"), AnotherSecret),
        (Of($"https://acme-legacy.vault.azure.net/secrets/other/{Version}"), AnotherSecret),
        (Of($"https://acme-legacy.vault.azure.net/secrets/mail-api-2/{Version}"), AnotherSecret),
        (Of($"https://acme-legacy.vault.azure.net/keys/mail-api/{Version}"), AnotherSecret),
        (Of(Secret), AnotherSecret),
        (Of($"{Secret}/"), NoVersion),
        (Of($"{Secret}/newest"), NoVersion),
        (Of($"{Secret}/{Version}/more"), NoVersion),
    ];

    [TestCase(null, Secret + "?api-version=7.4")]
    [TestCase(Version, Secret + "/" + Version + "?api-version=7.4")]
    public async Task A_secret_is_asked_for_by_its_name_or_its_version_with_the_token_of_the_hop(string? version, string address)
    {
        string? asked = null;
        Issued<StaticKey> issued = await ReadAsync(new Wire(request =>
        {
            asked = $"{request.Method} {request.RequestUri} {request.Headers.Authorization} {request.Content}";
            return WireAnswers.Json($"{{{Usual}}}", headers: ("x-ms-request-id", "of-the-vault"));
        }), version);

        Assert.That(asked, Is.EqualTo($"GET {address} Bearer {Token} "));
        Assert.That((issued.Credential.Kept.Reveal(), issued.Credential.Version, issued.CorrelationId, issued.Flaw), Is.EqualTo((Key, Version, "of-the-vault", (TokenExchangeException?)null)));
    }

    [Test]
    public async Task A_key_is_handed_out_until_the_vault_says_that_it_expires_and_no_longer_than_its_target_says()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((string attributes, DateTimeOffset? end) in Fit)
                Assert.That((await ReadAsync($"{{{Usual}{attributes}}}")).Credential.HandOutEnd, Is.EqualTo(end ?? Until), attributes);
        }
    }

    [Test]
    public void A_secret_that_is_disabled_or_out_of_its_time_is_not_handed_out_and_says_whose_turn_it_is()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((string attributes, string code, string said, string hint) in Unfit)
            {
                TokenExchangeException refused = Refused($"{{{Usual},\"attributes\":{{{attributes}}}}}");
                Assert.That((refused.Code, refused.Stage, refused.Detail, refused.Hint, refused.IsTransient, refused.CorrelationId), Is.EqualTo((code, ExchangeStage.Verify, said, hint, false, "of-the-vault")), attributes);
            }
        }
    }

    [Test]
    public void An_answer_that_makes_no_sense_is_told_by_its_first_fault_and_not_quoted()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((string body, string said) in Senseless)
                AssertMalformed(Refused(body), said, body);
            AssertMalformed(Refused($"{{{Usual}}}", "text/html"), "is not JSON", "a sign-in page");
        }
    }

    [Test]
    public async Task A_version_is_the_one_that_was_asked_for_in_whatever_case_it_and_the_name_are_written()
    {
        string shouted = Of($"HTTPS://ACME-LEGACY.VAULT.AZURE.NET/SECRETS/MAIL-API/{Version.ToUpperInvariant()}");

        Assert.That((await ReadAsync(shouted)).Credential.Version, Is.EqualTo(Version.ToUpperInvariant()));
        Assert.That((await ReadAsync(shouted, Version)).Credential.Version, Is.EqualTo(Version.ToUpperInvariant()));
        Assert.That((await ReadAsync($"{{{Usual}}}", Version.ToUpperInvariant())).Credential.Version, Is.EqualTo(Version));
        Assert.That((await ReadAsync(Of($"{Secret}/{Other}"))).Credential.Version, Is.EqualTo(Other), "the newest, whichever it is");
        AssertMalformed(Refused(Of($"{Secret}/{Other}"), version: Version), "is of another version than the one that was asked for (id)", "a gateway answered");
        AssertMalformed(Refused(Of(Secret + "/newest"), version: Version), NoVersion, "a gateway answered");
    }

    /// <summary>Reads the secret of a vault, on a clock that stands.</summary>
    internal static async Task<Issued<StaticKey>> ReadAsync(HttpMessageHandler vault, string? version = null)
    {
        using var channel = new HttpMessageInvoker(vault);
        return await ReadAsync(channel, version);
    }

    /// <summary>As <see cref="ReadAsync(HttpMessageHandler, string)"/>, with what is between.</summary>
    internal static async Task<Issued<StaticKey>> ReadAsync(HttpMessageInvoker channel, string? version = null)
    {
        var exchanger = (TokenExchanger<StaticKey>)Targets.KeyVaultStaticKey(new Uri("https://acme-legacy.vault.azure.net"), "mail-api", "Mail team", Until, o => o.Version = version);
        return await exchanger.ExchangeAsync(WireSamples.RequestWith(Token, channel, new ManualTimeProvider(Now)), default);
    }

    private static Task<Issued<StaticKey>> ReadAsync(string body, string? version = null, string type = "application/json") =>
        ReadAsync(new Wire(_ => WireAnswers.Of(body, type, headers: ("x-ms-request-id", "of-the-vault"))), version);

    private static TokenExchangeException Refused(string body, string type = "application/json", string? version = null) =>
        Assert.ThrowsAsync<TokenExchangeException>(() => ReadAsync(body, version, type))!;

    private static void AssertMalformed(TokenExchangeException refused, string said, string what) => Assert.That(
        (refused.Code, refused.Stage, refused.Detail, refused.Hint, refused.IsTransient, refused.CorrelationId),
        Is.EqualTo(("NHI4004", ExchangeStage.Exchange, $"The answer of host acme-legacy.vault.azure.net {said}.", "Check the address of the vault; a proxy may have answered.", false, "of-the-vault")), what);

    private static string Of(string id) => $"{{\"value\":\"{Key}\",\"id\":\"{id}\"}}";
}
