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
}
