namespace Nhi.TokenExchange;

/// <summary>What a proof that an issuer refused says of itself, for hints: to be shown, and to be put into a command.</summary>
internal sealed class PresentedProof
{
    // What a value may consist of to be put between single quotes of a shell and double quotes of JSON, by hand.
    private const string PlainMarks = "-._~:/?#[]@!*+,;=%|{}() ";
    private const int LongestValue = 300;

    private readonly Jwt _jwt;

    private PresentedProof(Jwt jwt) => _jwt = jwt;

    public string Issuer => _jwt.Issuer;

    public string Subject => _jwt.Subject;

    /// <summary>The first one; empty if it has none.</summary>
    public string Audience => _jwt.Audiences.Count > 0 ? _jwt.Audiences[0] : "";

    /// <summary>Reads a proof; null if it is opaque, so that nothing can be shown of it.</summary>
    public static PresentedProof? Read(SubjectToken proof)
    {
        try
        {
            return new PresentedProof(JwtReader.Read(proof.Reveal()));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Whether it has a claim of that name, or nested in one of that name.</summary>
    public bool Has(string claim) => _jwt.Claims.Keys.Any(name => name.StartsWith(claim, StringComparison.Ordinal));

    /// <summary>Its three values that a trust compares, for a message.</summary>
    public override string ToString() => $"issuer '{Shown(Issuer)}', subject '{Shown(Subject)}', audience '{Shown(Audience)}'";

    public static string Shown(string value) => ExceptionText.Clean(value, LongestValue);

    /// <summary>Whether values may stand in a command: it is copied into a shell, and a proof must not be able to say another one.</summary>
    public static bool ArePlain(params ReadOnlySpan<string> values)
    {
        foreach (string value in values)
        {
            if (value.Length is 0 or > LongestValue || !value.All(letter => char.IsAsciiLetterOrDigit(letter) || PlainMarks.Contains(letter, StringComparison.Ordinal)))
                return false;
        }
        return true;
    }
}
