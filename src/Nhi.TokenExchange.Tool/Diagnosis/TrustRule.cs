namespace Nhi.TokenExchange;

/// <summary>One rule of a trust at the other side: whom it lets in.</summary>
/// <param name="Issuer">The proof's issuer; null: not compared.</param>
/// <param name="Subjects">The subjects, any of which does; empty: not compared.</param>
/// <param name="Audiences">The audiences, any of which does; empty: not compared.</param>
/// <param name="SubjectsArePatterns">Whether <c>*</c> and <c>?</c> in a subject stand for others.</param>
/// <param name="SubjectsIgnoreCase">Whether subjects are compared without regard to case.</param>
internal sealed record TrustRule(string? Issuer, IReadOnlyList<string> Subjects, IReadOnlyList<string> Audiences, bool SubjectsArePatterns = false, bool SubjectsIgnoreCase = false)
{
    /// <summary>Each field that says otherwise than the proof, with where and how; none if it lets the proof in.</summary>
    public IReadOnlyList<string> DifferencesFrom(Jwt proof)
    {
        var differences = new List<string>();
        if (Issuer is not null && Compare("issuer", Issuer, proof.Issuer) is { } issuer)
            differences.Add(issuer);
        if (Subjects.Count > 0 && !Subjects.Any(subject => Takes(subject, proof.Subject)))
            differences.Add(CompareSubject(Nearest(Subjects, proof.Subject), proof.Subject));
        string presented = proof.Audiences is [var first, ..] ? first : "";
        if (Audiences.Count > 0 && !proof.Audiences.Intersect(Audiences, StringComparer.Ordinal).Any())   // of several of the proof's any does
            differences.Add(Compare("audience", Nearest(Audiences, presented), presented)!);
        return differences;
    }

    /// <summary>Whether a pattern takes a text: <c>*</c> any characters, <c>?</c> one, as IAM's StringLike.</summary>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        (int at, int star, int from) = (0, -1, 0);
        int p = 0;
        while (at < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
                (star, from) = (p++, at);
            else if (p < pattern.Length && (pattern[p] == '?' || pattern[p] == text[at]))
                (p, at) = (p + 1, at + 1);
            else if (star >= 0)
                (p, at) = (star + 1, ++from);
            else
                return false;
        }
        return pattern[p..].IndexOfAnyExcept('*') < 0;
    }

    private bool Takes(string subject, string presented) => SubjectsArePatterns ? Matches(subject, presented) : string.Equals(subject, presented, SubjectsIgnoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);

    private string CompareSubject(string trusted, string presented)
    {
        if (SubjectsArePatterns)
            return $"No pattern of the trust takes the proof's subject '{ExceptionText.Clean(presented, 300)}'; nearest is '{ExceptionText.Clean(trusted, 300)}'.";
        string difference = Compare("subject", trusted, presented)!;
        return trusted.AsSpan().IndexOfAny('*', '?') >= 0 && Matches(trusted, presented)
            ? $"{difference} As a pattern it would take it, but it is compared as it stands: Entra ID and Databricks know no patterns, and of AWS's operators only StringLike does. Name the subject whole, or use StringLike."
            : difference;
    }

    private static string Nearest(IReadOnlyList<string> trusted, string presented) => trusted.OrderByDescending(one => one.AsSpan().CommonPrefixLength(presented)).First();

    private static string? Compare(string field, string trusted, string presented) =>
        ExactText.DifferenceOf(trusted, presented) is not { } difference ? null
        : $"The trust's {field} '{ExceptionText.Clean(trusted, 300)}' is not the proof's '{ExceptionText.Clean(presented, 300)}': {difference}.";
}
