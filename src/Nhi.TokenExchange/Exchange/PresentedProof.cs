namespace Nhi.TokenExchange;

/// <summary>What a proof that an issuer refused says of itself, for hints: to be shown, and to be put into a command.</summary>
internal sealed class PresentedProof
{
    private const int LongestShown = 300;

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

    /// <summary>The other form in which its platform says the same subject, in a sentence with a space before it; empty if there is none.</summary>
    public string OtherForm => SubjectForms.OtherFormOf(_jwt) is { } other ? $" {other}" : "";

    /// <summary>Its three values that a trust compares, for a message.</summary>
    public override string ToString() => $"issuer '{Shown(Issuer)}', subject '{Shown(Subject)}', audience '{Shown(Audience)}'";

    public static string Shown(string value) => ExceptionText.Clean(value, LongestShown);
}
