using System.CommandLine;

namespace Nhi.TokenExchange;

/// <summary>What is known of the trust at the issuer, by options: compared with the proof character by character.</summary>
/// <param name="Rules">Whom it lets in, any of them; none: nothing is known.</param>
/// <param name="Findings">What is wrong with it whatever the proof says.</param>
internal sealed record TrustedValues(IReadOnlyList<TrustRule> Rules, IReadOnlyList<string> Findings)
{
    private static readonly Option<FileInfo?> TrustOption = new("--trust") { Description = "The trust at the other side, as its own command shows it as JSON: aws iam get-role, az ad app federated-credential list, databricks … federation-policy list, gcloud … providers describe." };
    private static readonly Option<string?> IssuerOption = new("--trusted-issuer") { Description = "The issuer that the trust names." };
    private static readonly Option<string?> SubjectOption = new("--trusted-subject") { Description = "The subject that the trust names." };
    private static readonly Option<string?> AudienceOption = new("--trusted-audience") { Description = "The audience that the trust names." };

    public static void AddTo(Command command)
    {
        foreach (Option option in (Option[])[TrustOption, IssuerOption, SubjectOption, AudienceOption])
            command.Options.Add(option);
    }

    /// <exception cref="UsageException">The file of <c>--trust</c> is none.</exception>
    public static TrustedValues Read(ParseResult line)
    {
        string? issuer = line.GetValue(IssuerOption), subject = line.GetValue(SubjectOption), audience = line.GetValue(AudienceOption);
        TrustDocument document = line.GetValue(TrustOption) is { } file ? TrustDocument.Read(file) : new TrustDocument([], []);
        return issuer is null && subject is null && audience is null ? new TrustedValues(document.Rules, document.Findings)
            : new TrustedValues([.. document.Rules, new TrustRule(issuer, ListOf(subject), ListOf(audience))], document.Findings);

        static string[] ListOf(string? named) => named is null ? [] : [named];
    }

    /// <summary>What of the trust does not fit the proof, or is wrong by itself; null if nothing, or nothing is known of it.</summary>
    public string? DifferencesFrom(Jwt proof)
    {
        IReadOnlyList<string> nearest = Rules.Select(rule => rule.DifferencesFrom(proof)).OrderBy(differences => differences.Count).FirstOrDefault() ?? [];
        string[] all = [.. nearest, .. Findings];
        return all.Length == 0 ? null : string.Join(Environment.NewLine, all);
    }

    /// <summary>Whether a rule that is known lets the proof in.</summary>
    public bool LetsIn(Jwt proof) => Rules.Any(rule => rule.DifferencesFrom(proof).Count == 0);
}
