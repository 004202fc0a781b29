namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>Globs of whole segments, beside a reference that was written from the page alone and knows nothing of how they are matched.</summary>
public class SegmentGlobTests
{
    private const int Pairs = 200_000;

    [TestCase("repo:acme/*:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/main", true)]
    [TestCase("repo:acme/*:ref:refs/heads/main", "repo:acme/:ref:refs/heads/main", false)]
    [TestCase("repo:acme/*:ref:refs/heads/main", "repo:acme/a/b:ref:refs/heads/main", false)]
    [TestCase("repo:acme/*:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/main/x", false)]
    [TestCase("repo:acme/*:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/maintenance", false)]
    [TestCase("repo:acme/*:ref:refs/heads/main", "repo:acme:orders:ref:refs/heads/main", false)]
    [TestCase("acme/**", "acme/a", true)]
    [TestCase("acme/**", "acme/a/b:c", true)]
    [TestCase("acme/**", "acme/", false)]
    [TestCase("acme/**", "acme", false)]
    [TestCase("acme/**", "acme-evil/a", false)]
    [TestCase("https://issuer.example/*", "https://issuer.example/realm", true)]
    [TestCase("https://issuer.example/*", "https:/issuer.example/realm", false)]
    public void A_star_is_one_segment_and_two_are_the_rest(string pattern, string value, bool isMatch) =>
        Assert.That(SegmentGlob.TryParse(pattern, out _, out _)!.Matches(value), Is.EqualTo(isMatch));

    [TestCase("a/b*", "has a * at position 3 that stands for a part of a segment")]
    [TestCase("a/***", "has a * at position 2 that stands for a part of a segment")]
    [TestCase("a/**/b", "has ** at position 2, before the end")]
    [TestCase("a/b", "has no * in it")]
    [TestCase("*", "names nothing: every value matches")]
    [TestCase("**", "names nothing: every value matches")]
    [TestCase("*/*:**", "names nothing: every value matches")]
    [TestCase("//**", "names nothing: every value matches")]
    public void What_would_match_more_than_it_names_is_no_glob(string pattern, string what)
    {
        Assert.That(SegmentGlob.TryParse(pattern, out string said, out string remedy), Is.Null);
        Assert.That((said, remedy), Is.EqualTo((what, remedy)));
        Assert.That(remedy, Does.EndWith("."));
    }

    [Test]
    public void Globs_match_what_a_naive_reference_matches()
    {
        var random = new Random(20260304);
        int matches = 0, globs = 0;
        for (int i = 0; i < Pairs; i++)
        {
            string pattern = NewText(random, "a*"), value = NewText(random, "ab");
            if (SegmentGlob.TryParse(pattern, out _, out _) is not { } glob)
                continue;
            globs++;
            bool expected = Reference(Cut(pattern), Cut(value));
            Assert.That(glob.Matches(value), Is.EqualTo(expected), $"'{pattern}' on '{value}'");
            matches += expected ? 1 : 0;
        }
        Assert.That(globs, Is.GreaterThan(Pairs / 10), "few would prove little");
        Assert.That(matches, Is.GreaterThan(globs / 100), "few would prove little");
    }

    [Test]
    public void A_glob_covers_another_only_if_it_matches_all_that_the_other_does()
    {
        var random = new Random(4711);
        string[] values = [.. Enumerable.Range(0, 400).Select(_ => NewText(random, "ab"))];
        int covers = 0;
        for (int i = 0; i < 20_000; i++)
        {
            if (SegmentGlob.TryParse(NewText(random, "a*"), out _, out _) is not { } one || SegmentGlob.TryParse(NewText(random, "a*"), out _, out _) is not { } other || !one.Covers(other))
                continue;
            covers++;
            Assert.That(values.Where(value => other.Matches(value) && !one.Matches(value)), Is.Empty, $"'{one.Pattern}' and '{other.Pattern}'");
        }
        Assert.That(covers, Is.GreaterThan(50));
    }

    // Segments and separators in turn, the segments at even places.
    private static List<string> Cut(string text)
    {
        var parts = new List<string> { "" };
        foreach (char c in text)
        {
            if (c is '/' or ':')
                parts.AddRange([c.ToString(), ""]);
            else
                parts[^1] += c;
        }
        return parts;
    }

    private static bool Reference(List<string> pattern, List<string> value)
    {
        if (pattern[0] == "**")
            return string.Concat(value).Length > 0;
        bool head = pattern[0] == "*" ? value[0].Length > 0 : pattern[0] == value[0];
        if (!head || (pattern.Count == 1) != (value.Count == 1))
            return false;
        return pattern.Count == 1 || (pattern[1] == value[1] && Reference(pattern[2..], value[2..]));
    }

    // Half of them of characters, half of segments, of which more match.
    private static string NewText(Random random, string letters)
    {
        if (random.Next(2) == 0)
            return string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => random.Next(5) switch { 0 => '/', 1 => ':', int other => letters[other % letters.Length] }));
        int segments = random.Next(1, 5);
        var text = new System.Text.StringBuilder();
        for (int i = 0; i < segments; i++)
        {
            string segment = letters[random.Next(letters.Length)].ToString();
            text.Append(segment == "*" && i == segments - 1 && random.Next(2) == 0 ? "**" : segment);
            if (i < segments - 1)
                text.Append(random.Next(4) == 0 ? ':' : '/');
        }
        return text.ToString();
    }
}
