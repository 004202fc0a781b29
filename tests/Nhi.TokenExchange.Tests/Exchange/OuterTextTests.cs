using System.Globalization;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What of an issuer's text may stand in a message.</summary>
internal sealed class OuterTextTests
{
    private static readonly Random Chance = new(4711);

    [TestCase("no such role ", "no such role no such role ")]
    [TestCase("words-that-open ", "[redacted]")]
    public void Of_a_text_as_long_as_an_answer_its_beginning_is_told_and_nothing_where_that_is_secrets_alone(string repeated, string beginning)
    {
        var sent = new SentSecrets();
        sent.Add("words-that-open");
        string text = string.Concat(Enumerable.Repeat(repeated, 10_000));

        Assert.That(OuterText.Shown(text, sent: sent), Does.StartWith(beginning).And.Length.LessThanOrEqualTo(201).And.Not.Contain("words"));
    }

    [Test]
    public void What_stands_where_a_text_as_long_as_an_answer_is_cut_is_not_told_for_it_may_begin_a_secret()
    {
        var sent = new SentSecrets();
        sent.Add("only-words-in-a-token");
        string hidden = string.Concat(Enumerable.Repeat("q7", (16 * 1024 / 2) - 4));

        Assert.That(OuterText.Shown($"{hidden} only-words-in-a-token", sent: sent), Is.EqualTo("[redacted]"));
    }

    [TestCase("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 24)]
    [TestCase("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 64)]
    [TestCase("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 32)]
    [TestCase("0123456789abcdef", 32)]
    [TestCase("abcdefghijklmnopqrstuvwxyz", 40)]
    public void A_random_text_of_24_letters_and_digits_or_more_is_taken_for_a_token(string alphabet, int length)
    {
        for (int round = 0; round < 200; round++)
        {
            string token = new([.. Enumerable.Range(0, length - 2).Select(_ => alphabet[Chance.Next(alphabet.Length)])]);
            token = alphabet.Contains('0', StringComparison.Ordinal) ? "7" + token + "q" : "q" + token + "q";
            Assert.That(OuterText.Shown($"no such token '{token}='"), Is.EqualTo("no such token '[redacted]'"), token);
        }
    }

    // A Databricks personal access token has as many characters as a GUID.
    [TestCase("dapi", 32)]
    [TestCase("canary", 30)]
    public void As_many_letters_and_digits_as_a_GUID_has_are_none(string start, int digits)
    {
        string token = start + new string([.. Enumerable.Range(0, digits).Select(i => "0123456789abcdef"[(i * 7) % 16])]);
        Assert.That(OuterText.Shown($"token {token} is bad"), Is.EqualTo("token [redacted] is bad"));
    }

    [TestCase("The issuer https://login.issuer.example/tenants/eu-west-1/orders-etl/v2.0/.well-known/openid-configuration is not trusted.")]
    [TestCase("No matching federated identity record found for subject 'repo:octo/orders-warehouse:ref:refs/heads/main'.")]
    [TestCase("Trace ID: 5a5a0000-0000-4000-8000-00000000beef Timestamp: 2026-01-01 00:00:00Z")]
    [TestCase("/tenants/5a5a0000-0000-4000-8000-00000000beef/oauth2/v2.0/token")]
    [TestCase("urn:ietf:params:oauth:grant-type:token-exchange is unsupported_grant_type_for_this_client")]
    [TestCase("pod orders-etl-6d4cf56db6-x7k2p of system:serviceaccount:warehouse:orders")]
    public void Words_addresses_and_GUIDs_stay_readable(string text) => Assert.That(OuterText.Shown(text), Is.EqualTo(text));

    [Test]
    public void A_trace_id_is_readable_where_it_is_all_there_is()
    {
        string id = Guid.Parse("5a5a0000-0000-4000-8000-00000000beef").ToString("N");
        Assert.That(OuterText.Shown(id), Is.EqualTo(id));
        Assert.That(OuterText.Shown($"token {id}"), Is.EqualTo("token [redacted]"));
    }

    [TestCase("only-words-in-a-token")]
    [TestCase("a/b+c=~d%x")]
    [TestCase("with space + plus/slash==")]
    public void What_was_sent_is_taken_out_whatever_it_looks_like(string secret)
    {
        var sent = new SentSecrets();
        new FormBody().Add("client_id", "job-client").Add("assertion", secret).TellSecrets(sent);
        string escaped = Uri.EscapeDataString(secret);
        string shown = OuterText.Shown($"<{secret}> <{escaped}> <{escaped.ToLowerInvariant()}> job-client", sent: sent);
        Assert.That(shown, Is.EqualTo("<[redacted]> <[redacted]> <[redacted]> job-client"));
    }

    [Test]
    public void A_cut_piece_of_what_was_sent_is_taken_out_too()
    {
        var sent = new SentSecrets();
        sent.Add("only-words-in-a-token");
        Assert.That(OuterText.Shown("bad token only-words-in… and 'words-in-a-token'", sent: sent), Is.EqualTo("bad token [redacted]… and '[redacted]'"));
    }

    [TestCase("subject_token")]
    [TestCase("actor_token")]
    [TestCase("assertion")]
    [TestCase("client_assertion")]
    [TestCase("token")]
    public void Each_field_that_proves_something_is_a_secret(string field)
    {
        var sent = new SentSecrets();
        new FormBody().Add(field, "secret-words").TellSecrets(sent);
        Assert.That(OuterText.Shown("secret-words", sent: sent), Is.EqualTo("[redacted]"));
    }

    [TestCase("\"{0}\" is bad", "\"[redacted]\" is bad")]
    [TestCase("{0}", "[redacted]")]
    public void The_start_of_a_JWT_is_taken_out_from_12_letters_on(string text, string shown)
    {
        string start = string.Concat("eyJ", "hbGciOiJI");
        Assert.That(OuterText.Shown(string.Format(CultureInfo.InvariantCulture, text, start)), Is.EqualTo(shown));
        Assert.That(OuterText.Shown(start[..11]), Is.EqualTo(start[..11]));
    }

    // Of forty letters and more a run is looked at piece by piece; what lies at a limit is readable, and one letter more is not.
    [TestCase("abcdefghijklmnopqrst", "abcdefghijklmnopqrstu")]
    [TestCase("20260101", "202601011")]
    [TestCase("6d4cf56db6", "6d4cf56db61")]
    [TestCase("abCdefGhij", "abCdefGhi")]
    [TestCase("abcdef123", "abcDef123")]
    public void A_piece_between_separators_is_readable_up_to_its_limit(string readable, string tooMuch)
    {
        const string words = "warehouse.orders.of.the.night.in.the.west";
        Assert.That(OuterText.Shown($"{words}.{readable}"), Is.EqualTo($"{words}.{readable}"));
        Assert.That(OuterText.Shown($"{words}.{tooMuch}"), Is.EqualTo("[redacted]"));
    }

    [TestCase(24, true)]
    [TestCase(23, false)]
    public void A_run_with_a_digit_may_be_a_token_from_24_characters_on(int length, bool isTakenOut)
    {
        string run = "7" + new string('q', length - 1);
        Assert.That(OuterText.Shown(run), Is.EqualTo(isTakenOut ? "[redacted]" : run));
    }

    [TestCase(40, true)]
    [TestCase(39, false)]
    public void One_of_letters_alone_from_40_on(int length, bool isTakenOut)
    {
        string run = new('q', length);
        Assert.That(OuterText.Shown(run), Is.EqualTo(isTakenOut ? "[redacted]" : run));
    }

    [Test]
    public void A_text_of_more_than_1024_characters_is_cut_there_at_the_next_word()
    {
        string words = string.Concat(Enumerable.Repeat("a ", 512));
        Assert.That(OuterText.Shown($"{words}b c", maxLength: 2000), Is.EqualTo($"{words}b "));
    }

    [TestCase("secret-w", "[redacted]")]
    [TestCase("secret-", "secret-")]
    public void What_was_sent_is_guarded_from_8_characters_on(string secret, string shown)
    {
        var sent = new SentSecrets();
        sent.Add(secret);
        Assert.That(OuterText.Shown(secret, sent: sent), Is.EqualTo(shown));
    }

    [TestCase("-secret-", true)]
    [TestCase("secret-", false)]
    public void A_piece_of_it_from_8_characters_on(string piece, bool isAPart)
    {
        var sent = new SentSecrets();
        sent.Add("the-secret-of-the-night");
        Assert.That(sent.HasPart(piece), Is.EqualTo(isAPart));
    }
}
