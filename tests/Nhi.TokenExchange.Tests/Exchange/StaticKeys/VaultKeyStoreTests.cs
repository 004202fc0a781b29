using Nhi.TokenExchange.Tests.Exchange.Vault;

namespace Nhi.TokenExchange.Tests.Exchange.StaticKeys;

/// <summary>A key-value engine of Vault, of both versions, in whatever state its secret is.</summary>
internal sealed class VaultKeyStoreTests
{
    [TestCase(true, "")]
    [TestCase(false, "")]
    [TestCase(true, "acme/eu")]
    public async Task A_key_is_read_from_either_version_of_the_engine_and_from_a_namespace(bool hasVersions, string ns)
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(hasVersions: hasVersions, ns: ns);

        Assert.That(await job.CallAsync(), Is.EqualTo(200));
        StaticKeyUse use = job.Audit.Events.Single(one => one is { Kind: AuditEventKind.Issued, Target: "billing" }).StaticKey!;
        Assert.That((use.Version, use.Secret), Is.EqualTo((hasVersions ? "1" : null, $"{(ns.Length > 0 ? ns + "/" : "")}secret/{(hasVersions ? "data/" : "")}legacy/billing#value")));
    }

    [Test]
    public async Task The_newest_version_counts_and_one_that_was_deleted_or_destroyed_says_so()
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(fill: (engine, key) =>
        {
            engine.Put(StaticKeyJob.Path, ("value", "older"));
            engine.Put(StaticKeyJob.Path, ("value", key));
        });
        Assert.That(await job.CallAsync(), Is.EqualTo(200));

        await using StaticKeyJob deleted = await StaticKeyJob.StartAsync(fill: (engine, key) =>
        {
            engine.Put(StaticKeyJob.Path, ("value", key));
            engine.Delete(StaticKeyJob.Path);
        });
        await RefusedAsync(deleted, "NHI4001", "Version 1 of the secret was deleted at ");
        await using StaticKeyJob destroyed = await StaticKeyJob.StartAsync(fill: (engine, key) => engine.Destroy(StaticKeyJob.Path, engine.Put(StaticKeyJob.Path, ("value", key))));
        await RefusedAsync(destroyed, "NHI4001", "Version 1 of the secret was destroyed");
    }

    [Test]
    public async Task A_secret_that_is_not_there_or_is_of_the_other_engine_is_told_with_what_to_look_at()
    {
        await using StaticKeyJob none = await StaticKeyJob.StartAsync(fill: (_, _) => { });
        await RefusedAsync(none, "NHI4001", "answered 404 at secret/data/legacy/billing");
        await using StaticKeyJob other = await StaticKeyJob.StartAsync(configure: o => o.Engine = VaultKvEngine.Version1);
        await RefusedAsync(other, "NHI4001", "Look whether the engine is the one that Engine says");
        await using StaticKeyJob older = await StaticKeyJob.StartAsync(hasVersions: false, configure: o => o.Engine = VaultKvEngine.Version2);
        await RefusedAsync(older, "NHI4001", "Look whether the engine is the one that Engine says");
    }

    [Test]
    public async Task A_field_that_is_not_there_is_told_by_its_name_and_the_others_by_their_number()
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(fill: (engine, key) => engine.Put(StaticKeyJob.Path, ("api_key", key), ("user", "loader")));

        TokenExchangeException refused = await RefusedAsync(job, "NHI5009", "has no field 'value' that is a text; it has 2 field(s)");
        Assert.That(refused.Message, Does.Not.Contain("api_key"));
    }

    [TestCase("\n", "ends in a line break: store it without one")]
    [TestCase("\r\nX-Admin: true", "has a character at position 35 that the header X-Api-Key may not have")]
    [TestCase("\u00e4", "has a character at position 35 that the header X-Api-Key may not have")]
    [TestCase("\0", "has a character at position 35 that no key has")]
    public async Task A_key_that_would_break_its_header_is_not_handed_out_and_not_quoted(string tail, string said)
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(fill: (engine, key) => engine.Put(StaticKeyJob.Path, ("value", key + tail)));

        TokenExchangeException refused = await RefusedAsync(job, "NHI5009", said);
        Assert.That(refused.ToString(), Does.Not.Contain(job.Key));
        Assert.That(job.Service.Requests, Is.Empty);
    }

    [Test]
    public async Task The_lines_of_a_key_file_reach_an_opener_and_a_line_that_a_file_left_open_does_not()
    {
        string? opened = null;
        void Open(TokenExchangeBuilder b) => b.Opener<Stream>("billing", (key, _) =>
        {
            opened = key;
            return new(Stream.Null);
        });
        await using StaticKeyJob lines = await StaticKeyJob.StartAsync(configure: o => o.Header.Name = null, fill: (engine, key) => engine.Put(StaticKeyJob.Path, ("value", $"first\n{key}\nlast\n")), more: Open);
        using (await lines.Session.OpenAsync<Stream>("billing"))
            Assert.That(opened, Is.EqualTo($"first\n{lines.Key}\nlast\n"));
        await using StaticKeyJob line = await StaticKeyJob.StartAsync(configure: o => o.Header.Name = null, fill: (engine, key) => engine.Put(StaticKeyJob.Path, ("value", key + "\r\n")), more: Open);
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => line.Session.OpenAsync<Stream>("billing"))!.Message, Does.Contain("ends in a line break: store it without one"));
    }

    [TestCase(0, "has 0 characters; 1 to 32768 are taken")]
    [TestCase(40_000, "has 40000 characters; 1 to 32768 are taken")]
    public async Task A_key_that_is_empty_or_a_document_is_refused(int length, string said)
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(fill: (engine, _) => engine.Put(StaticKeyJob.Path, ("value", new string('k', length))));

        await RefusedAsync(job, "NHI5009", said);
    }

    [Test]
    public async Task A_version_that_the_vault_will_delete_is_handed_out_until_then_and_not_after()
    {
        var time = new ManualTimeProvider();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time, fill: (engine, key) => engine.PutFor(StaticKeyJob.Path, TimeSpan.FromMinutes(5), ("value", key)));
        Assert.That(await job.CallAsync(), Is.EqualTo(200));
        Assert.That(job.Audit.Events.Single(one => one is { Kind: AuditEventKind.Issued, Target: "billing" }).UnusableFrom, Is.EqualTo(StaticKeyJob.In(time, TimeSpan.FromMinutes(5))));
        time.Advance(TimeSpan.FromMinutes(5));

        await RefusedAsync(job, "NHI4001", "Version 1 of the secret was deleted");
    }

    [Test]
    public async Task A_login_that_may_not_read_it_is_denied_and_one_that_was_revoked_is_replaced()
    {
        await using StaticKeyJob denied = await StaticKeyJob.StartAsync();
        denied.Emulator.Faults.Always(EmulatorEndpoint.VaultSecret, Fault.Vault(403, "1 error occurred:\n\t* permission denied\n\n"));
        await RefusedAsync(denied, "NHI4001", "Let a policy of the login's role permit this path");

        await using StaticKeyJob job = await StaticKeyJob.StartAsync();
        BearerToken login = await job.Session.Provider<BearerToken>("vault").GetAsync();
        using (var http = new HttpClient())
        using (var end = new HttpRequestMessage(HttpMethod.Post, new Uri(job.Emulator.Vault.Address, "/v1/auth/token/revoke-self")))
        {
            end.Headers.Add("X-Vault-Token", login.Reveal());
            using HttpResponseMessage ended = await http.SendAsync(end);
            Assert.That((int)ended.StatusCode, Is.EqualTo(204));
        }
        Assert.That(await job.CallAsync(), Is.EqualTo(200));
        Assert.That(job.Emulator.Ledger.Requests.Of(EmulatorEndpoint.VaultLogin), Is.EqualTo(2));
    }

    [TestCase("""{"request_id":"r","data":{"data":{"value":42},"metadata":{"version":1}}}""", "has fields of a secret that can't be read: it has 'value' that is no string")]
    [TestCase("""{"request_id":"r","data":{"value":"k"}}""", "is the engine version 1?")]
    [TestCase("""{"request_id":"r","data":{"data":{"value":"k"},"metadata":{"version":1,"deletion_time":"tomorrow"}}}""", "has a deletion_time that is no instant")]
    [TestCase("""{"request_id":"r","data":{"data":{"value":"k","value":"l"},"metadata":{"version":1}}}""", "has 'value' twice")]
    public async Task An_answer_of_another_shape_is_malformed(string body, string said)
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultSecret, Fault.Body(body));

        await RefusedAsync(job, "NHI4004", said);
    }

    private static Task<TokenExchangeException> RefusedAsync(StaticKeyJob job, string code, string said)
    {
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.CallAsync())!;
        Assert.That(refused.Code, Is.EqualTo(code), refused.Message);
        Assert.That(refused.Message, Does.Contain(said));
        return Task.FromResult(refused);
    }

    private const string NeverThere = "Check path, mount and Namespace. Vault says the same where a policy does not let the token see the path. Look whether the engine is the one that Engine says (version 1 or 2), too.";
    private const string Undelete = "Let the owner of the key undelete it, or store the next version.";

    // Of several faults the first one that is read is told, and of the envelope before what is in it.
    private static readonly (bool HasVersions, string Body, string Fault)[] Faults =
    [
        (true, """{"request_id":"r-1"}""", "has no data"),
        (false, """{"request_id":"r-1","data":null}""", "has no data"),
        (true, """{"request_id":"r-1","data":{"value":"k"}}""", "has no data in its data: is the engine version 1? Then say so (Engine)"),
        (true, """{"request_id":"r-1","data":{"data":{"value":42}}}""", "has fields of a secret that can't be read: it has 'value' that is no string"),
        (false, """{"request_id":"r-1","data":{"value":42}}""", "has fields of a secret that can't be read: it has 'value' that is no string"),
        (true, """{"request_id":"r-1","data":{"data":{"value":"k"},"metadata":{"version":"x"}}}""", "has a metadata that has 'version' that is no whole number of 64 bits"),
        (true, """{"request_id":"r-1","data":{"data":{"value":"k"},"metadata":{"deletion_time":"tomorrow"}}}""", "has a deletion_time that is no instant"),
        (true, """{"request_id":"r-1","data":{"metadata":{"deletion_time":"tomorrow"},"data":{"value":"k"}}}""", "has a deletion_time that is no instant"),
        (true, """{"request_id":"r-1","data":{"metadata":{"deletion_time":"tomorrow","version":"x"},"data":{"value":42}}}""", "has a deletion_time that is no instant"),
        (true, """{"request_id":"r-1","data":{"data":{"value":42},"metadata":{"deletion_time":"tomorrow"}}}""", "has fields of a secret that can't be read: it has 'value' that is no string"),
        (true, """{"request_id":"r-1","data":{"data":{"value":"k"},"data":{}}}""", "has a data that has 'data' twice"),
        (true, """{"request_id":"r-1","data":{"data":{"value":"k"}},"renewable":true,"lease_duration":"x"}""", "has 'lease_duration' that is no whole number of 64 bits"),
        (true, """{"request_id":"r-1","data":{"data":{"value":42}},"lease_duration":"x"}""", "has 'lease_duration' that is no whole number of 64 bits"),
    ];

    // RFC 3339, with as many decimals as a server writes.
    private static readonly (string Written, string? Read)[] Deletions =
    [
        ("2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("2026-02-01T00:00:00.123456789Z", "2026-02-01T00:00:00Z"),
        ("2026-02-01T02:00:00.5+02:00", "2026-02-01T00:00:00Z"),
        ("2026-01-31T22:00:00-02:00", "2026-02-01T00:00:00Z"),
        ("", null),
    ];

    private static readonly (bool HasVersions, string Body, string Said, string Hint)[] Missing =
    [
        (true, """{"errors":[]}""", "", NeverThere),
        (false, """{"errors":["no"]}""", ": no", NeverThere),
        (true, """{"data":{"data":null,"metadata":{"version":3,"destroyed":true,"deletion_time":"2026-02-01T00:00:00Z"}}}""", "Version 3 of the secret was destroyed", Undelete),
        (true, """{"data":{"data":null,"metadata":{"version":3,"destroyed":false,"deletion_time":"2026-02-01T00:00:00Z"}}}""", "Version 3 of the secret was deleted at 2026-02-01T00:00:00.0000000+00:00", Undelete),
        (true, """{"data":{"data":null,"metadata":{"version":3,"destroyed":false,"deletion_time":""}}}""", "", NeverThere),
        (false, """{"data":{"data":null,"metadata":{"version":3,"destroyed":true}}}""", "", NeverThere),
    ];

    private static VaultKeyStore Store(bool hasVersions = true) => new(ScriptedVault.Address, "legacy/billing", new VaultStaticKeyOptions { Engine = hasVersions ? VaultKvEngine.Version2 : VaultKvEngine.Version1 });

    private static string Versioned(string deletion) => $$"""{"request_id":"r-1","data":{"data":{"value":"k"},"metadata":{"version":3,"destroyed":false,"deletion_time":"{{deletion}}"} } }""";

    [Test]
    public void Each_fault_of_an_answer_is_named()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((bool hasVersions, string body, string fault) in Faults)
            {
                using var vault = new ScriptedVault((200, body));

                TokenExchangeException? refused = Assert.ThrowsAsync<TokenExchangeException>(() => Store(hasVersions).ReadAsync(vault.Request(), default));

                Assert.That((refused?.Code, refused?.Detail, refused?.CorrelationId), Is.EqualTo(("NHI4004", $"The answer of host vault.test {fault}.", "r-1")), body);
            }
        }
    }

    [Test]
    public async Task What_a_version_says_of_itself_is_read()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((string written, string? read) in Deletions)
            {
                using var vault = new ScriptedVault((200, Versioned(written)));

                StoredKey key = await Store().ReadAsync(vault.Request(), default);

                DateTimeOffset? end = read is null ? null : DateTimeOffset.Parse(read, System.Globalization.CultureInfo.InvariantCulture);
                Assert.That((key.Reveal(), key.Version, key.EndsAt, key.NotBefore, key.CorrelationId), Is.EqualTo(("k", "3", end, (DateTimeOffset?)null, "r-1")), written);
                Assert.That(vault.Asked, Is.EqualTo(new[] { "GET /v1/secret/data/legacy/billing" }));
            }
            using var first = new ScriptedVault((200, """{"request_id":"r-1","data":{"value":"k"}}"""));
            StoredKey ofVersion1 = await Store(hasVersions: false).ReadAsync(first.Request(), default);
            Assert.That((ofVersion1.Reveal(), ofVersion1.Version, ofVersion1.EndsAt), Is.EqualTo(("k", (string?)null, (DateTimeOffset?)null)));
            Assert.That(first.Asked, Is.EqualTo(new[] { "GET /v1/secret/legacy/billing" }));
        }
    }

    [Test]
    public void A_version_that_is_gone_is_told_from_one_that_never_was()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((bool hasVersions, string body, string said, string hint) in Missing)
                AssertMissing(hasVersions, body, "application/json", said, hint);
            foreach (bool hasVersions in new[] { true, false })
                AssertMissing(hasVersions, "<html>", "text/html", "", NeverThere);
        }
    }

    [Test]
    public void A_field_that_is_not_there_is_told_by_name_with_what_to_write()
    {
        using var vault = new ScriptedVault((200, """{"request_id":"r-1","data":{"data":{"api_key":"k","value":null}}}"""));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => Store().ReadAsync(vault.Request(), default))!;

        Assert.That((refused.Code, refused.Stage, refused.Detail, refused.Hint, refused.CorrelationId), Is.EqualTo((
            "NHI5009", ExchangeStage.Verify, "The secret at secret/data/legacy/billing has no field 'value' that is a text; it has 2 field(s).", "Name the field that is the key by Field.", "r-1")));
    }

    [TestCase(true, """{"data":{"value":"words-that-open","words-that-open":1,"words-that-open":2}}""", "has fields of a secret that can't be read: it")]
    [TestCase(true, """{"data":{"note":"\ud800","value":"words-that-open","words-that-open":1,"words-that-open":2}}""", "has fields of a secret that can't be read: it")]
    [TestCase(true, """{"data":{"value":"words-that-open"},"metadata":{"words-that-open":1,"words-that-open":2}}""", "has a metadata that")]
    [TestCase(false, """{"value":"words-that-open","words-that-open":1,"words-that-open":2}""", "has a data that")]
    public void A_name_that_stands_twice_is_not_told_where_it_is_the_key(bool hasVersions, string data, string where)
    {
        using var vault = new ScriptedVault((200, $$"""{"request_id":"r-1","data":{{data}}}"""));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => Store(hasVersions).ReadAsync(vault.Request(), default))!;

        Assert.That(refused.Detail, Does.Contain($"{where} has '[redacted]' twice"));
    }

    private static void AssertMissing(bool hasVersions, string body, string type, string said, string hint)
    {
        using var vault = new ScriptedVault((404, body)) { Type = type, Headers = [("x-request-id", "r-2")] };

        TokenExchangeException? refused = Assert.ThrowsAsync<TokenExchangeException>(() => Store(hasVersions).ReadAsync(vault.Request(), default));

        string answered = $"Host vault.test:8200 answered 404 at secret/{(hasVersions ? "data/" : "")}legacy/billing";
        Assert.That((refused?.Code, refused?.Detail, refused?.Hint, refused?.CorrelationId), Is.EqualTo(("NHI4001", said.StartsWith('V') ? $"{said} ({answered})." : $"{answered}{said}.", hint, "r-2")), body);
    }
}
