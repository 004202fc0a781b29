using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>A trust as the other side's own command shows it, in a file: a trust policy of AWS, federated credentials of Entra ID, federation policies of Databricks, a provider of Google Cloud.</summary>
/// <param name="Rules">Whom it lets in.</param>
/// <param name="Findings">Where it lets in more than it seems, or does not do what it seems to.</param>
internal sealed record TrustDocument(IReadOnlyList<TrustRule> Rules, IReadOnlyList<string> Findings)
{
    private const string Form = "Write into it what one of these shows: aws iam get-role, az ad app federated-credential list, databricks account service-principal-federation-policy list, gcloud iam workload-identity-pools providers describe --format=json.";

    /// <summary>Reads one.</summary>
    /// <exception cref="UsageException">It can't be read, or is none.</exception>
    public static TrustDocument Read(FileInfo file)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(file.FullName));
            var findings = new List<string>();
            TrustRule[] rules = [.. RulesOf(json.RootElement, findings)];
            return rules.Length > 0 ? new TrustDocument(rules, findings) : throw new UsageException($"--trust: '{ExceptionText.Clean(file.Name, 200)}' has no rule for proofs of OpenID Connect. {Form}");
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            throw new UsageException($"--trust: '{ExceptionText.Clean(file.FullName, 300)}' can't be read ({wrong.GetType().Name}). {Form}");
        }
    }

    private static IEnumerable<TrustRule> RulesOf(JsonElement root, List<string> findings)
    {
        if (root.ValueKind == JsonValueKind.Array)
            return root.EnumerateArray().SelectMany(one => RulesOf(one, findings));
        if (root.ValueKind != JsonValueKind.Object)
            return [];
        foreach (string wrapping in (ReadOnlySpan<string>)["Role", "AssumeRolePolicyDocument", "value", "policies", "oidc_policy"])
        {
            if (root.TryGetProperty(wrapping, out JsonElement inner) && inner.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
                return RulesOf(inner, findings);
        }
        if (root.TryGetProperty("Statement", out JsonElement statements))
            return AwsTrust.Read(statements, findings);
        if (root.TryGetProperty("oidc", out JsonElement google))
            return [new TrustRule(Text(google, "issuerUri"), [], Texts(google, "allowedAudiences"))];
        return Text(root, "issuer") is { } issuer ? [new TrustRule(issuer, Text(root, "subject") is { } subject ? [subject] : [], Texts(root, "audiences"))] : [];
    }

    private static string? Text(JsonElement owner, string name) => owner.TryGetProperty(name, out JsonElement text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;

    private static IReadOnlyList<string> Texts(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out JsonElement list) && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray().Select(one => one.ToString())] : [];
}
