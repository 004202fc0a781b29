using System.CommandLine;

namespace Nhi.TokenExchange;

/// <summary>What the trust at the issuer says, copied from there: compared with the proof character by character.</summary>
internal sealed record TrustedValues(string? Issuer, string? Subject, string? Audience)
{
    private static readonly Option<string?> IssuerOption = new("--trusted-issuer") { Description = "The issuer that the trust at the other side names, to be compared with the proof." };
    private static readonly Option<string?> SubjectOption = new("--trusted-subject") { Description = "The subject that the trust names." };
    private static readonly Option<string?> AudienceOption = new("--trusted-audience") { Description = "The audience that the trust names." };

    public static void AddTo(Command command)
    {
        command.Options.Add(IssuerOption);
        command.Options.Add(SubjectOption);
        command.Options.Add(AudienceOption);
    }

    public static TrustedValues Read(ParseResult line) => new(line.GetValue(IssuerOption), line.GetValue(SubjectOption), line.GetValue(AudienceOption));

    /// <summary>Each field that the trust says otherwise than the proof, with where and how; null if none, or nothing is known of the trust.</summary>
    public string? DifferencesFrom(Jwt proof)
    {
        string?[] differences = [Compare("issuer", Issuer, proof.Issuer), Compare("subject", Subject, proof.Subject), Compare("audience", Audience, proof.Audiences is [var first, ..] ? first : "")];
        string[] found = [.. differences.OfType<string>()];
        return found.Length == 0 ? null : string.Join(Environment.NewLine, found);
    }

    private static string? Compare(string field, string? trusted, string presented) =>
        trusted is null || ExactText.DifferenceOf(trusted, presented) is not { } difference ? null
        : $"The trust's {field} '{ExceptionText.Clean(trusted, 300)}' is not the proof's '{ExceptionText.Clean(presented, 300)}': {difference}.";
}
