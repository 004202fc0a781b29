using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests.Configuration;

/// <summary>Reads docs/smells.md, and makes values of its forms by seed. None of them was ever anybody's.</summary>
internal static partial class SmellPage
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Repository.Root, "docs", "smells.md"));
    private static readonly string[] Words = ["orders", "nightly", "warehouse", "lake", "export", "ledger", "payments", "customers", "archive", "loader", "finance", "reporting"];

    public static string[] Names => Quoted(Section("## Names", "### Words around a name"), ofTables: true);

    /// <summary>Words that change nothing behind a name, and those in front of a whole one.</summary>
    public static string[] Tails => Quoted(RowOf("behind a name"), ofTables: true);

    public static string[] Fronts => Quoted(RowOf("in front of a whole name"), ofTables: true);

    /// <summary>The names by which the page shows what such words do.</summary>
    public static string[] NamesWithWords => Quoted(Section("### Words around a name", "### Names that pass"), ofTables: false);

    public static string[] HarmlessNames => Quoted(Section("### Names that pass", "## Values: by how they begin"), ofTables: false);

    public static (string What, string Form)[] Beginnings => Forms("## Values: by how they begin", "## Values: by what is in them");

    public static (string What, string Form)[] Parts => Forms("## Values: by what is in them", "## Values: by their shape");

    public static (string What, string Form)[] Shapes => Forms("## Values: by their shape", "## Values that pass");

    public static (string What, string Form)[] Harmless => Forms("## Values that pass", null);

    /// <summary>A value of a form: <c>[…]{n}</c> by chance, <c>(word)</c>, <c>(guid)</c> made up, the rest as it stands.</summary>
    public static string Make(string form, int seed)
    {
        var random = new Random(seed);
        return Variable().Replace(form, match => match.Value switch
        {
            "(word)" => Words[random.Next(Words.Length)],
            "(guid)" => new Guid(random.GetItems<byte>([.. Enumerable.Range(0, 256).Select(i => (byte)i)], 16)).ToString(),
            _ => new string(random.GetItems<char>(ClassOf(match.Groups["class"].Value), int.Parse(match.Groups["count"].Value, System.Globalization.CultureInfo.InvariantCulture))),
        });
    }

    private static char[] ClassOf(string text)
    {
        var characters = new List<char>();
        for (int i = 0; i < text.Length; i++)
        {
            if (i + 2 < text.Length && text[i + 1] == '-')
            {
                characters.AddRange(Enumerable.Range(text[i], text[i + 2] - text[i] + 1).Select(c => (char)c));
                i += 2;
            }
            else
            {
                characters.Add(text[i]);
            }
        }
        return [.. characters];
    }

    private static string Section(string from, string? to)
    {
        int start = Text.IndexOf(from, StringComparison.Ordinal), end = to is null ? Text.Length : Text.IndexOf(to, StringComparison.Ordinal);
        Assert.That(start, Is.GreaterThan(0).And.LessThan(end), from);
        return Text[start..end];
    }

    private static string RowOf(string where) =>
        Section("### Words around a name", "### Names that pass").Split('\n').Single(line => line.StartsWith($"| {where} |", StringComparison.Ordinal));

    private static string[] Quoted(string section, bool ofTables) =>
        [.. section.Split('\n').Where(line => line.StartsWith('|') == ofTables).SelectMany(line => Code().Matches(line)).Select(match => match.Groups["text"].Value)];

    private static (string What, string Form)[] Forms(string from, string? to) =>
        [.. Row().Matches(Section(from, to)).Select(row => (row.Groups["what"].Value, row.Groups["form"].Value))];

    [GeneratedRegex(@"\(word\)|\(guid\)|\[(?<class>[^\[\]]+)\]\{(?<count>\d+)\}")]
    private static partial Regex Variable();

    [GeneratedRegex("`(?<text>[^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"^\| (?<what>[^|`]+) \| `(?<form>[^`]+)` \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
