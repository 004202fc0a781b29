namespace Nhi.TokenExchange;

/// <summary>Looks at "Amazon Resource Names": of roles, of managed policies, of what a session policy speaks of. What is wrong is told as a sentence without subject.</summary>
internal static class AwsArn
{
    public const string RoleForm = "Write it as IAM shows it: arn:aws:iam::123456789012:role/orders-loader";
    public const string PolicyForm = "Write it as IAM shows it: arn:aws:iam::123456789012:policy/orders-read, or arn:aws:iam::aws:policy/…";

    private const int LongestArn = 2048;

    /// <summary>What is wrong with a role; null if nothing is.</summary>
    public static string? FaultOfRole(string arn, AwsPartition partition)
    {
        if (Split(arn, partition, out string[] parts) is { } fault)
            return fault;
        string resource = parts[5];
        if (parts[2] == "sts" && resource.StartsWith("assumed-role/", StringComparison.Ordinal))
            return "names a session of a role (assumed-role), not the role";
        if (parts[2] != "iam" || parts[3].Length > 0)
            return "is not of IAM, which has no region: after the partition comes iam::";
        if (!IsAccount(parts[4]))
            return "has no account number of 12 digits in its fifth part";
        if (!resource.StartsWith("role/", StringComparison.Ordinal))
            return resource.StartsWith("user/", StringComparison.Ordinal) ? "names a user, not a role" : "names no role: its last part has to begin with role/";
        return NameOf(arn).Length == 0 ? "has no name after role/" : null;
    }

    /// <summary>What is wrong with a managed policy; null if nothing is.</summary>
    public static string? FaultOfPolicy(string arn, AwsPartition partition) =>
        Split(arn, partition, out string[] parts)
        ?? (parts[2] == "iam" && parts[3].Length == 0 && (IsAccount(parts[4]) || parts[4] == "aws") && parts[5].StartsWith("policy/", StringComparison.Ordinal) ? null : "names no managed policy: after the partition comes iam::, the account and policy/");

    /// <summary>What is wrong with what a session policy allows something on; null if nothing is. An asterisk stands for everything.</summary>
    public static string? FaultOfResource(string arn, AwsPartition partition) => arn == "*" ? null : Split(arn, partition, out _);

    /// <summary>The role's name, without its path.</summary>
    public static string NameOf(string role) => role[(role.LastIndexOf('/') + 1)..];

    /// <summary>The account of a role.</summary>
    public static string AccountOf(string role) => role.Split(':')[4];

    private static string? Split(string arn, AwsPartition partition, out string[] parts)
    {
        parts = arn.Split(':', 6);
        if (arn.Length > LongestArn)
            return $"has {arn.Length} characters; an ARN has at most {LongestArn}";
        if (arn.AsSpan().ContainsAnyExceptInRange('!', '~') || arn.AsSpan().ContainsAny('"', '\\'))
            return "has a space, a quote, a backslash or a character that is not of visible ASCII";
        if (parts.Length < 6 || parts[0] != "arn" || parts[5].Length == 0)
            return "is no ARN, which has six parts with colons between them and begins with arn:";
        return parts[1] == partition.Name ? null : $"is of the partition '{ExceptionText.Clean(parts[1], 20)}', and the region is of '{partition.Name}'";
    }

    private static bool IsAccount(string text) => text.Length == 12 && text.All(char.IsAsciiDigit);
}
