using System.Globalization;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>What a request limits its session by: "AssumeRoleWithWebIdentity", <c>Policy</c> and <c>PolicyArns</c>.</summary>
internal static class AwsSessionLimits
{
    private const int LongestPolicy = 2048;
    private const int MostArns = 10;

    public static string? Policy(string? text)
    {
        if (text is null)
            return null;
        if (text.Length > LongestPolicy)
            throw AwsXmlText.Refuse("ValidationError", "policy_too_long", $"1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to {LongestPolicy}");
        try
        {
            using JsonDocument policy = JsonDocument.Parse(text);
            bool isPolicy = policy.RootElement.ValueKind == JsonValueKind.Object && policy.RootElement.TryGetProperty("Statement", out JsonElement statements)
                && (statements.ValueKind == JsonValueKind.Object ? IsStatement(statements) : statements.ValueKind == JsonValueKind.Array && statements.GetArrayLength() > 0 && statements.EnumerateArray().All(IsStatement));
            return isPolicy ? text : throw Malformed();
        }
        catch (JsonException)
        {
            throw Malformed();
        }
    }

    public static string[] PolicyArns(RequestForm form)
    {
        string[] arns = [.. Enumerable.Range(1, MostArns + 1).Select(number => form.One(string.Create(CultureInfo.InvariantCulture, $"PolicyArns.member.{number}.arn"))).TakeWhile(arn => arn is not null).Select(arn => arn!)];
        if (arns.Length > MostArns)
            throw AwsXmlText.Refuse("ValidationError", "policy_arns", $"1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to {MostArns}");
        return arns;
    }

    /// <summary>In percent of what STS takes. How the real one packs is nobody's to know; here it does not pack.</summary>
    public static int PackedSize(string? policy, string[] arns, IReadOnlyList<string> tags)
    {
        int length = (policy?.Length ?? 0) + arns.Sum(arn => arn.Length) + tags.Sum(tag => tag.Length);
        int percent = ((length * 100) + LongestPolicy - 1) / LongestPolicy;
        return percent <= 100 ? percent : throw AwsXmlText.Refuse("PackedPolicyTooLarge", "packed", $"Packed size of session tags consumes {percent}% of allotted space.");
    }

    private static bool IsStatement(JsonElement statement) =>
        statement.ValueKind == JsonValueKind.Object
        && statement.TryGetProperty("Effect", out JsonElement effect) && effect.ValueKind == JsonValueKind.String && effect.GetString() is "Allow" or "Deny"
        && (statement.TryGetProperty("Action", out _) || statement.TryGetProperty("NotAction", out _))
        && (statement.TryGetProperty("Resource", out _) || statement.TryGetProperty("NotResource", out _));

    private static OAuthRefusal Malformed() => AwsXmlText.Refuse("MalformedPolicyDocument", "policy_malformed", "Syntax errors in policy.");
}
