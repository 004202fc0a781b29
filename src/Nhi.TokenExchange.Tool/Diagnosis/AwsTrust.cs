using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Reads the trust policy of an AWS role: whom it lets in, and where it lets in more than it seems.</summary>
/// <remarks>IAM User Guide: "IAM JSON policy elements: Condition operators", "Creating a role for OpenID Connect federation".</remarks>
internal static class AwsTrust
{
    private const string Provider = ":oidc-provider/";

    /// <summary>Reads its statements.</summary>
    /// <param name="statements">The element <c>Statement</c>.</param>
    /// <param name="findings">Told what is too wide, or does not do what it seems to.</param>
    public static IReadOnlyList<TrustRule> Read(JsonElement statements, List<string> findings)
    {
        var rules = new List<TrustRule>();
        foreach (JsonElement statement in Each(statements))
        {
            string? provider = statement.TryGetProperty("Principal", out JsonElement principal) && principal.ValueKind == JsonValueKind.Object && principal.TryGetProperty("Federated", out JsonElement federated)
                ? Texts(federated).FirstOrDefault(arn => arn.Contains(Provider, StringComparison.Ordinal)) : null;
            if (provider is null)
                continue;
            string host = provider[(provider.IndexOf(Provider, StringComparison.Ordinal) + Provider.Length)..];
            if (statement.TryGetProperty("Effect", out JsonElement effect) && effect.GetString() != "Allow")
                findings.Add($"The trust has a Deny for that issuer ({ExceptionText.Clean(host, 200)}): what its conditions match is refused, whatever else lets it in. They are not compared here.");
            else
                rules.Add(Read(statement, host, findings));
        }
        return rules;
    }

    private static TrustRule Read(JsonElement statement, string host, List<string> findings)
    {
        var subjects = new List<(string Value, bool IsPattern, bool IgnoresCase)>();
        var audiences = new List<string>();
        if (statement.TryGetProperty("Condition", out JsonElement condition))
        {
            foreach (JsonProperty one in condition.EnumerateObject())
            {
                foreach (JsonProperty key in one.Value.EnumerateObject())
                {
                    Lint(one.Name, key.Name, Texts(key.Value), host, findings);
                    if (IsNegated(one.Name))
                        continue;   // names who is kept out, and so nobody
                    if (string.Equals(key.Name, $"{host}:sub", StringComparison.OrdinalIgnoreCase))
                        subjects.AddRange(Texts(key.Value).Select(value => (value, IsLike(one.Name), one.Name.Contains("IgnoreCase", StringComparison.OrdinalIgnoreCase))));
                    else if (string.Equals(key.Name, $"{host}:aud", StringComparison.OrdinalIgnoreCase))
                        audiences.AddRange(Texts(key.Value));
                }
            }
        }
        if (subjects.Count == 0)
            findings.Add($"The trust has no condition on {host}:sub: every workload of that issuer gets in. Name the subject.");
        if (audiences.Count == 0)
            findings.Add($"The trust has no condition on {host}:aud: a proof that was made for somebody else gets in, too. Name the audience.");
        return new TrustRule(host.Contains("://", StringComparison.Ordinal) ? host : $"https://{host}", [.. subjects.Select(subject => subject.Value)], audiences, subjects.Count > 0 && subjects.All(subject => subject.IsPattern), subjects.Count > 0 && subjects.All(subject => subject.IgnoresCase));
    }

    private static void Lint(string condition, string key, string[] values, string host, List<string> findings)
    {
        if (!key.StartsWith($"{host}:", StringComparison.OrdinalIgnoreCase))
            return;
        string shown = $"{ExceptionText.Clean(condition, 60)} of {ExceptionText.Clean(key, 200)}";
        if (condition.StartsWith("ForAllValues:", StringComparison.OrdinalIgnoreCase) || condition.EndsWith("IfExists", StringComparison.OrdinalIgnoreCase))
            findings.Add($"{shown} holds where the claim is absent, too: who says nothing gets in. Use the operator alone.");
        if (IsNegated(condition))
        {
            findings.Add($"{shown} keeps out '{ExceptionText.Clean(string.Join("', '", values), 300)}' and lets everybody else in. Name whom you trust.");
            return;
        }
        if (!IsLike(condition) && values.FirstOrDefault(value => value.AsSpan().IndexOfAny('*', '?') >= 0) is { } pattern)
            findings.Add($"{shown} compares '{ExceptionText.Clean(pattern, 300)}' as it stands: the wildcard stands for nothing. Use StringLike, or name the value whole.");
        if (key.EndsWith(":sub", StringComparison.OrdinalIgnoreCase) && IsLike(condition) && values.FirstOrDefault(LetsAnyIn) is { } any)
            findings.Add($"{shown} takes '{ExceptionText.Clean(any, 300)}': any repository or project of that name's beginning gets in. Name it whole.");
    }

    // "*", "repo:acme/*", "repo:acme/ord*:…": what decides whose workload it is, is left open.
    private static bool LetsAnyIn(string pattern)
    {
        int star = pattern.AsSpan().IndexOfAny('*', '?');
        return star >= 0 && pattern.AsSpan(0, star).Count(':') < 2;
    }

    private static bool IsNegated(string condition) => condition.Contains("Not", StringComparison.OrdinalIgnoreCase);

    private static bool IsLike(string condition) => condition.Contains("Like", StringComparison.OrdinalIgnoreCase);

    private static JsonElement[] Each(JsonElement element) => element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray()] : [element];

    private static string[] Texts(JsonElement element) => [.. Each(element).Select(one => one.ToString())];
}
