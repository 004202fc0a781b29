namespace Nhi.TokenExchange.Tests;

/// <summary>Faults S1 to S3, S5, B57 and B75: what is in the file, and how it is renewed.</summary>
internal sealed class OidcFileSourceTests : OidcFileFixture
{
    [TestCase("", "")]
    [TestCase("", "\n")]
    [TestCase("", "\r\n")]
    [TestCase("\uFEFF", "\n")]
    public async Task B57_A_byte_order_mark_and_one_newline_are_dropped(string before, string after)
    {
        Write(before + Proofs.With() + after);
        SubjectToken token = await GetAsync();
        Assert.That(token.Reveal(), Is.EqualTo(Proofs.With()));
        Assert.That(token.ExpiresAt, Is.EqualTo(Proofs.Now.AddSeconds(300)));
        Assert.That(Time.GetUtcNow(), Is.EqualTo(Proofs.Now), "nothing was waited for");
    }

    [TestCase(" ", "")]
    [TestCase("", "\n\n")]
    [TestCase("", " \n")]
    [TestCase("\n", "")]
    [TestCase("", "\0")]
    public void B57_More_white_space_is_refused(string before, string after)
    {
        Write(before + Proofs.With() + after);
        IdentityUnavailableException refused = Refused();
        Assert.That(refused.Code, Is.EqualTo(ErrorCodes.ProofMalformed));
        Assert.That(refused.Message, Does.Contain("at position"));
    }

    [Test]
    public async Task It_is_read_anew_for_each_exchange()
    {
        IWorkloadIdentitySource source = IdentitySources.OidcFile(FilePath);
        foreach (string jti in (string[])["1", "2", "3"])
        {
            string token = Proofs.With(("jti", jti));
            File.WriteAllText(FilePath + ".new", token);
            File.Move(FilePath + ".new", FilePath, overwrite: true);
            Assert.That((await Time.RunAsync(source.GetSubjectTokenAsync(Proofs.Request(Time), default))).Reveal(), Is.EqualTo(token));
        }
    }

    [Test]
    public void S1_A_missing_file_is_transient_and_names_path_and_user()
    {
        File.WriteAllText(Path.Join(Folder, "neighbour-canary"), "x");
        IdentityUnavailableException refused = Refused();
        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.ProofUnavailable, true)));
        Assert.That(refused.Message, Does.Contain(FilePath).And.Contain("user ").And.Not.Contain("neighbour-canary"));
        Assert.That(Time.GetUtcNow() - Proofs.Now, Is.EqualTo(TimeSpan.FromSeconds(1)), "looked three times more within a second");
    }

    [TestCase("")]
    [TestCase("\n")]
    public Task S2_A_file_that_is_empty_while_it_is_written_is_read_again(string empty) => AssertIsReadAgainAsync(empty);

    [TestCase(40)]
    [TestCase(-66)]
    public Task S3_A_file_that_is_half_written_is_read_again(int length) => AssertIsReadAgainAsync(Part(length));

    [Test]
    public void S2_But_three_times_at_most() => AssertIsGivenUp("", "it is empty");

    [TestCase(40, "1 part|header")]
    [TestCase(-66, "cut off")]
    public void S3_But_three_times_at_most(int length, string says) => AssertIsGivenUp(Part(length), says);

    private static string Part(int length) => length < 0 ? Proofs.With()[..^-length] : Proofs.With()[..length];

    private async Task AssertIsReadAgainAsync(string unfinished)
    {
        string whole = Proofs.With();
        Write(unfinished);
        ValueTask<SubjectToken> asked = IdentitySources.OidcFile(FilePath).GetSubjectTokenAsync(Proofs.Request(Time), default);
        await TimerAsync();
        Write(whole);
        Assert.That((await Time.RunAsync(asked)).Reveal(), Is.EqualTo(whole));
        Assert.That(Time.GetUtcNow() - Proofs.Now, Is.EqualTo(TimeSpan.FromMilliseconds(50)));
    }

    private void AssertIsGivenUp(string unfinished, string says)
    {
        Write(unfinished);
        IdentityUnavailableException refused = Refused();
        Assert.That(refused.Code, Is.EqualTo(ErrorCodes.ProofMalformed));
        Assert.That(refused.Message, Does.Match(says).And.Contain("read 4 times"));
        Assert.That(Time.GetUtcNow() - Proofs.Now, Is.EqualTo(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public async Task S5_A_proof_that_has_ended_is_waited_for_once_and_then_refused_by_the_check()
    {
        Write(Proofs.With());
        Time.Advance(TimeSpan.FromMinutes(10));
        SubjectToken token = await GetAsync();
        Assert.That(Time.GetUtcNow() - Proofs.Now, Is.EqualTo(TimeSpan.FromSeconds(601)));
        Assert.That(() => ProofCheck.Check(token, new Audience(Proofs.Audience), ActsFor.Proven, Time.GetUtcNow()),
            Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo(ErrorCodes.ProofExpired).And.Message.Contains("2026-01-01T00:05:00").And.Message.Contains("2026-01-01T00:10:01"));
    }

    [Test]
    public async Task S5_And_the_renewed_one_is_taken()
    {
        Write(Proofs.With());
        Time.Advance(TimeSpan.FromMinutes(10));
        ValueTask<SubjectToken> asked = IdentitySources.OidcFile(FilePath).GetSubjectTokenAsync(Proofs.Request(Time), default);
        await TimerAsync();
        string renewed = Proofs.With(("exp", Proofs.Now.ToUnixTimeSeconds() + 3600));
        Write(renewed);
        Assert.That((await Time.RunAsync(asked)).Reveal(), Is.EqualTo(renewed));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task What_was_refused_as_expired_is_not_given_again(bool told)
    {
        Write(Proofs.With());
        IWorkloadIdentitySource source = IdentitySources.OidcFile(FilePath);
        SubjectToken first = await Time.RunAsync(source.GetSubjectTokenAsync(Proofs.Request(Time), default));
        SubjectTokenRequest again = Proofs.Request(Time, mustBeNew: true, refused: told ? first.Fingerprint : null);
        Assert.That(async () => await Time.RunAsync(source.GetSubjectTokenAsync(again, default)),
            Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo(ErrorCodes.ProofExpired).And.Property("IsTransient").True.And.Message.Contains("still holds the same"));
        string renewed = Proofs.With(("jti", "2"));
        Write(renewed);
        Assert.That((await Time.RunAsync(source.GetSubjectTokenAsync(again, default))).Reveal(), Is.EqualTo(renewed));
    }

    [Test]
    public async Task Another_exchange_that_got_the_renewed_one_first_does_not_stand_in_the_way()
    {
        Write(Proofs.With());
        IWorkloadIdentitySource source = IdentitySources.OidcFile(FilePath);
        SubjectToken refused = await source.GetSubjectTokenAsync(Proofs.Request(Time), default);
        Write(Proofs.With(("jti", "2")));
        SubjectToken renewed = await source.GetSubjectTokenAsync(Proofs.Request(Time), default);
        Assert.That((await source.GetSubjectTokenAsync(Proofs.Request(Time, mustBeNew: true, refused: refused.Fingerprint), default)).Fingerprint, Is.EqualTo(renewed.Fingerprint));
    }

    [Test]
    public void B75_A_file_of_more_than_64_KiB_holds_no_proof()
    {
        Write(new string('x', 65 * 1024 - 10));
        Assert.That(Refused(), Has.Property("Code").EqualTo(ErrorCodes.ProofMalformed));
    }

    [Test]
    public async Task A_JSON_file_names_the_field()
    {
        Write($$"""{ "expires_in": 300, "access_token": "{{Proofs.With()}}" }""" + "\n");
        Assert.That((await GetAsync(new OidcFileOptions { JsonField = "access_token" })).Reveal(), Is.EqualTo(Proofs.With()));
    }

    [TestCase("""{ "other": "x" }""")]
    [TestCase("""{ "token": 5 }""")]
    [TestCase("""{ "token": "a", "token": "b" }""")]
    [TestCase("""[ "token" ]""")]
    [TestCase("""{ "token": "\ud800" }""")]
    [TestCase("token")]
    public void A_JSON_file_that_can_not_be_read_in_one_way_is_refused(string json)
    {
        Write(json);
        Assert.That(Refused(new OidcFileOptions { JsonField = "token" }), Has.Property("Code").EqualTo(ErrorCodes.ProofMalformed));
    }

    [Test]
    public async Task An_opaque_token_is_taken_where_the_kind_says_so()
    {
        Write("opaque-0123456789\n");
        Assert.That((await GetAsync(new OidcFileOptions { TokenType = SubjectTokenType.AccessToken })).Reveal(), Is.EqualTo("opaque-0123456789"));
    }

    [TestCase("")]
    [TestCase("token")]
    [TestCase("./token")]
    [TestCase("~/token")]
    [TestCase("$HOME/token")]
    [TestCase("/tmp/a\0b")]
    public void A_path_is_absolute_and_says_what_it_means(string path) =>
        Assert.That(() => IdentitySources.OidcFile(path), Throws.ArgumentException);

    [Test]
    public async Task A_variable_in_a_path_is_not_replaced()
    {
        await File.WriteAllTextAsync(Path.Join(Folder, "$HOME"), Proofs.With());
        IWorkloadIdentitySource source = IdentitySources.OidcFile(Path.Join(Folder, "$HOME"));
        Assert.That((await source.GetSubjectTokenAsync(Proofs.Request(Time), default)).Reveal(), Is.EqualTo(Proofs.With()));
    }
}
