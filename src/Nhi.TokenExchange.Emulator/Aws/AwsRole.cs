using System.Security.Cryptography;

namespace Nhi.TokenExchange;

/// <summary>A role of the emulated AWS account, with its trust policy for web identities.</summary>
/// <remarks>Set up before the first request that needs it. Values are compared exactly (<c>StringEquals</c>).</remarks>
public sealed class AwsRole
{
    internal AwsRole(string account, string name, string subject)
    {
        Name = name;
        Arn = $"arn:aws:iam::{account}:role/{name}";
        Conditions["sub"] = subject;
        Conditions["aud"] = EmulatedAws.UsualAudience;
    }

    /// <summary>Its name, without a path.</summary>
    public string Name { get; }

    /// <summary>Its ARN: what a request names.</summary>
    public string Arn { get; }

    /// <summary>The issuer whose IAM OIDC provider is the principal of the trust policy. Null: the emulator's own.</summary>
    public string? Issuer { get; set; }

    /// <summary>The conditions of the trust policy: what these claims must say. At first <c>sub</c>, and <c>aud</c> with <c>sts.amazonaws.com</c>.</summary>
    public IDictionary<string, string> Conditions { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The condition on <c>sts:RoleSessionName</c>; null: there is none.</summary>
    public string? SessionName { get; set; }

    /// <summary>Whether the trust policy allows <c>sts:TagSession</c>: a proof with session tags is refused otherwise. Default false.</summary>
    public bool AllowsTagging { get; set; }

    /// <summary>The maximum session duration. Default 1 hour.</summary>
    public TimeSpan MaxSessionDuration { get; set; } = TimeSpan.FromHours(1);

    /// <summary>What <c>aws:userid</c> begins with.</summary>
    internal string Id { get; } = $"AROA{RandomNumberGenerator.GetHexString(17)}";
}
