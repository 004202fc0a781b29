using System.Diagnostics;

namespace Nhi.TokenExchange;

/// <summary>The temporary credentials of a session of an AWS role: the three values that AWS clients sign with.</summary>
/// <remarks>The fingerprint is that of the session token. AWS ends none before its time; CloudTrail shows <see cref="AccessKeyId"/>.</remarks>
public sealed class AwsSessionCredentials : Credential
{
    private const int LongestPart = 16 * 1024;   // STS names no limit for a session token; those seen have 1 to 2 KiB

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly string _secretAccessKey;

    /// <summary>Makes credentials from what STS answered.</summary>
    /// <param name="accessKeyId">Such as <c>ASIA…</c>; not secret.</param>
    /// <param name="secretAccessKey">What requests are signed with.</param>
    /// <param name="sessionToken">What goes with each request.</param>
    /// <param name="expiresAt">The instant from which AWS refuses them.</param>
    /// <exception cref="ArgumentException">A part is empty, too long, or has another character than visible ASCII (named by position, never quoted).</exception>
    public AwsSessionCredentials(string accessKeyId, string secretAccessKey, string sessionToken, DateTimeOffset expiresAt)
        : base(Checked(sessionToken, "session token"), expiresAt)
    {
        AccessKeyId = Checked(accessKeyId, "access key id");
        _secretAccessKey = Checked(secretAccessKey, "secret access key");
    }

    /// <summary>Which key it is. Not secret: logs of AWS name it.</summary>
    public string AccessKeyId { get; }

    /// <summary>The role's id and the session's name, such as <c>AROA…:orders-nightly-17</c>: what a policy names as <c>aws:userid</c> that cuts this session off. Not secret. Null if STS did not say it.</summary>
    public string? AssumedRoleId { get; internal init; }

    /// <summary>The secret access key. For adapters that sign with it; never for logs or messages.</summary>
    public string RevealSecretAccessKey() => _secretAccessKey;

    /// <summary>The session token. For adapters that send it to the target; never for logs or messages.</summary>
    public string RevealSessionToken() => Secret;

    private static string Checked(string part, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(part);
        if (part.Length > LongestPart)
            throw new ArgumentException($"The {name} has {part.Length} characters; at most {LongestPart} are taken.", nameof(part));
        int position = part.AsSpan().IndexOfAnyExceptInRange('!', '~');
        return position < 0 ? part : throw new ArgumentException($"The {name} has a character at position {position} of {part.Length} that can't stand in a header.", nameof(part));
    }
}
