using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>An event is written and read whole, always with the same bytes, and a text in it stays a text.</summary>
public class AuditEventJsonTests
{
    private static IEnumerable<AuditEventKind> Kinds() => Enum.GetValues<AuditEventKind>();

    [TestCaseSource(nameof(Kinds))]
    public void What_is_written_reads_as_the_same_event(AuditEventKind kind) => AssertSame(SampleEvents.All.Single(one => one.Kind == kind));

    [Test]
    public void Every_member_of_an_event_is_written_and_read()
    {
        AuditEvent full = SampleEvents.Full;
        foreach (PropertyInfo member in typeof(AuditEvent).GetProperties())
            Assert.That(Text(member.GetValue(full)), Is.Not.EqualTo(Text(member.GetValue(new AuditEvent { Kind = default, At = default, FlightId = default, Target = "", Job = JobContext.Unnamed }))), $"{member.Name} is set in the sample");
        AssertSame(full);
    }

    [Test]
    public void The_same_event_gives_the_same_bytes_whatever_encoder_the_writer_has() =>
        Assert.That(EventText.Of(SampleEvents.With("ä<'\u202E>"), encoder: JavaScriptEncoder.UnsafeRelaxedJsonEscaping), Is.EqualTo(EventText.Of(SampleEvents.With("ä<'\u202E>"))));

    // Log injection, terminal escapes, ends of lines of all kinds, JSON's own characters, bidi marks, zero width, fillers, halves of surrogate pairs, a byte-order mark, a look-alike.
    [TestCase("line\r\n{\"seq\":2}")]
    [TestCase("\u001b[2J\u001b]0;owned\u0007")]
    [TestCase("\",\"hash\":\"\\\\")]
    [TestCase("\u202E\u2066txet\u2069\u200F")]
    [TestCase("a\u0085b\u2028c\u2029d\u000Be")]
    [TestCase("\u200B\u200D\u00AD\u3164\u2800\uFEFF")]
    [TestCase("\uD800 alone, \uDC00 alone, \uD83D\uDE00 a pair")]
    [TestCase("\u0000\u007F\u0080\u009B31m")]
    [TestCase("p\u0430yments</script>&'")]
    public void A_text_from_outside_is_written_as_visible_ASCII_and_read_as_what_it_was(string text)
    {
        string json = EventText.Of(SampleEvents.With(text));

        Assert.That(json.All(c => c is >= ' ' and <= '~'), "one line, and nothing in it that a screen or a log would take for anything else");
        Assert.That(EventText.Read(json).Subject, Is.EqualTo(Whole(text)));
        Assert.That(EventText.Read(json).Job.Purpose, Is.EqualTo(Whole(text)));
    }

    [TestCase('x')]
    [TestCase('\u202E')]
    [TestCase('\uD800')]
    [TestCase('"')]
    public void A_text_of_a_megabyte_is_cut_and_says_so(char character)
    {
        string json = EventText.Of(SampleEvents.With(new string(character, 1024 * 1024)));
        AuditEvent read = EventText.Read(json);

        Assert.That(Encoding.UTF8.GetByteCount(json), Is.LessThan(AuditEventJson.LongestEvent));
        Assert.That(read.Subject, Has.Length.EqualTo(AuditText.Longest).And.EndsWith("[cut:1048576]"));
        Assert.That(read.Resources, Has.Count.EqualTo(AuditText.MostElements + 1));
        Assert.That(read.Resources[^1], Is.EqualTo("[left-out:872]"));
        Assert.That(read.Subject, Is.EqualTo(AuditText.Fit(read.Subject!)), "what is cut once is not cut again");
    }

    [Test]
    public void No_event_of_any_kind_is_longer_than_a_line_may_be_though_each_of_its_texts_is()
    {
        string scope = new('\'', 256);
        ScopeSet scopes = ScopeSet.Of([.. Enumerable.Range(0, 300).Select(n => $"{n:D3}{scope}"[..256])]);
        foreach (AuditEventKind kind in Enum.GetValues<AuditEventKind>())
        {
            AuditEvent longest = SampleEvents.With(new string('\'', 1024 * 1024), kind, scopes);
            Assert.That(Encoding.UTF8.GetByteCount(EventText.Of(longest)), Is.LessThan(AuditEventJson.LongestEvent), kind.ToString());
        }
    }

    [Test]
    public void Scopes_without_end_are_cut_and_still_read_as_scopes()
    {
        AuditEvent many = new()
        {
            Kind = AuditEventKind.Permitted, At = SampleEvents.Start, FlightId = SampleEvents.Flight, Target = "warehouse", Job = JobContext.Unnamed, Scopes = ScopeSet.Of([.. Enumerable.Range(0, 5000).Select(n => $"scope-{n:D5}"), new string('z', 100_000)]),
        };
        string json = EventText.Of(many);

        Assert.That(json, Has.Length.LessThan(AuditEventJson.LongestEvent));
        Assert.That(EventText.Read(json).Scopes.Values, Has.Count.EqualTo(AuditText.MostElements + 1).And.Contains("[left-out:4873]"));
    }

    [Test]
    public void A_pair_of_surrogates_is_not_cut_in_two()
    {
        string text = (new string('x', AuditText.Longest - "[cut:1100]".Length - 1) + "\uD83D\uDE00").PadRight(1100, 'x');

        Assert.That(AuditText.Fit(text), Does.EndWith("x\uFFFD[cut:1100]"));
    }

    [Test]
    public void Random_texts_come_back_as_they_were([Values(1, 2, 3, 4, 5, 6, 7, 8)] int seed)
    {
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (int i = 0; i < 200; i++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(1, 60)).Select(_ => (char)random.Next(char.MaxValue + 1)));
            string json = EventText.Of(SampleEvents.With(text));

            Assert.That(json.All(c => c is >= ' ' and <= '~'));
            Assert.That(EventText.Read(json).Reason, Is.EqualTo(Whole(text)));
            Assert.That(EventText.Of(EventText.Read(json)), Is.EqualTo(json).Or.Contains("left-out"));
        }
    }

    [Test]
    public void A_member_that_is_not_known_is_left_out()
    {
        JsonNode json = JsonNode.Parse(EventText.Of(SampleEvents.Full))!;
        json["unmapped"]!["fromTheFuture"] = new JsonObject { ["a"] = 1 };
        json["enrichments"] = new JsonArray();

        Assert.That(EventText.Of(EventText.Read(json.ToJsonString())), Is.EqualTo(EventText.Of(SampleEvents.Full)));
    }

    [Test]
    public void Each_member_of_another_type_makes_the_event_unreadable_and_is_named()
    {
        int tried = 0;
        foreach ((string path, JsonNode value) in Leaves(JsonNode.Parse(EventText.Of(SampleEvents.Full))!["unmapped"]!.AsObject(), ""))
        {
            JsonNode json = JsonNode.Parse(EventText.Of(SampleEvents.Full))!;
            string[] steps = path.Split('/');
            JsonNode owner = steps[..^1].Aggregate(json["unmapped"]!, (at, step) => at[step]!);
            owner[steps[^1]] = value.GetValueKind() == System.Text.Json.JsonValueKind.Number ? "text" : JsonValue.Create(7);

            FormatException? refused = Assert.Throws<FormatException>(() => EventText.Read(json.ToJsonString()), path);
            Assert.That(refused!.Message, Does.Contain($"'{steps[^1]}'"));
            tried++;
        }
        Assert.That(tried, Is.GreaterThan(40));
    }

    [TestCase("kind", "\"Sold\"")]
    [TestCase("kind", "\"4\"")]
    [TestCase("kind", "\"Issued, Revoked\"")]
    [TestCase("kind", "\"issued\"")]
    [TestCase("at", "\"yesterday\"")]
    [TestCase("at", "\"2026-11-03\"")]
    [TestCase("elapsed", "\"5\\u0000\"")]
    [TestCase("session", "\"{5a5a0000-0000-4000-0000-000000000000}\"")]
    [TestCase("scopesGranted", "[\"two words\"]")]
    [TestCase("scopesGranted", "[1]")]
    [TestCase("fingerprint", "null")]
    [TestCase("kind", "\"Revoked\"")]
    public void A_value_of_another_form_makes_the_event_unreadable(string name, string value)
    {
        JsonNode json = JsonNode.Parse(EventText.Of(SampleEvents.Full))!;
        json["unmapped"]![name] = JsonNode.Parse(value);

        Assert.Throws<FormatException>(() => EventText.Read(json.ToJsonString()));
    }

    private static IEnumerable<(string Path, JsonNode Value)> Leaves(JsonObject owner, string prefix)
    {
        foreach ((string name, JsonNode? value) in owner)
        {
            yield return (prefix + name, value!);
            if (value is not JsonObject inner)
                continue;
            foreach ((string, JsonNode) leaf in Leaves(inner, $"{prefix}{name}/"))
                yield return leaf;
        }
    }

    private static void AssertSame(AuditEvent written)
    {
        AuditEvent read = EventText.Read(EventText.Of(written));

        foreach (PropertyInfo member in typeof(AuditEvent).GetProperties())
            Assert.That(Text(member.GetValue(read)), Is.EqualTo(Text(member.GetValue(written))), member.Name);
        Assert.That(read.Job.Origins, Is.EqualTo(written.Job.Origins));
        Assert.That(EventText.Of(read), Is.EqualTo(EventText.Of(written)));
    }

    private static string Text(object? value) => value switch
    {
        null => "none",
        IReadOnlyList<string> list => string.Join('|', list),
        IReadOnlyDictionary<string, string> claims => string.Join('|', claims),
        CredentialExposure exposure => $"{exposure.ReusableAfterJob} {exposure.VisibleToOperators} {exposure.TiedToHuman}",
        DateTimeOffset instant => instant.UtcDateTime.ToString("O"),
        _ => value.ToString()!,
    };

    // Halves of surrogate pairs are no characters: each becomes the one that stands for such.
    private static string Whole(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
