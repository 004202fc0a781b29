namespace Nhi.TokenExchange;

/// <summary>What may be said about a session of an AWS role.</summary>
/// <remarks>
/// The target's scopes are the actions (<c>s3:GetObject</c>) of an inline session policy, and <see cref="Resources"/> what they are allowed on: the session may do what the role may and that policy allows. A policy of ours narrows both.
/// Its <c>MaxLifetime</c> is asked for as the session's duration, which STS gives from 15 minutes to 12 hours.
/// </remarks>
public sealed class AwsStsOptions
{
    /// <summary>Another address of STS, such as a VPC endpoint: scheme, host, port. Default: that of the region, <c>https://sts.{region}.amazonaws.com</c> and the like in other partitions.</summary>
    public Uri? Endpoint { get; set; }

    /// <summary>Whether the region's FIPS endpoint is asked. Not in China and the isolated partitions, and not beside <see cref="Endpoint"/>. Default false.</summary>
    public bool UseFips { get; set; }

    /// <summary>For whom the proof has to be made: one of the client ids of the IAM OIDC provider. Default <c>sts.amazonaws.com</c>, in China <c>sts.amazonaws.com.cn</c>.</summary>
    public string? SubjectAudience { get; set; }

    /// <summary>The session's name, which CloudTrail shows: 2 to 64 letters, digits and <c>_+=,.@-</c>. Default: pipeline, run and task of the job.</summary>
    public string? SessionName { get; set; }

    /// <summary>The ARNs that the inline session policy allows actions on, such as <c>arn:aws:s3:::orders/*</c>. None, the default: all that the role may reach, if the target has scopes; else there is no inline policy.</summary>
    public IList<string> Resources { get; } = [];

    /// <summary>A whole inline session policy instead: a JSON object, at most 2,048 characters without its white space. Not beside scopes and <see cref="Resources"/>; a policy of ours can't narrow it, and denies where it would.</summary>
    public string? SessionPolicy { get; set; }

    /// <summary>ARNs of managed policies that limit the session as well (their union is what it may do at most); at most 10.</summary>
    public IList<string> PolicyArns { get; } = [];

    /// <summary>How long before its end a session is handed out no more. Default 10 seconds; from 0 to 10 minutes.</summary>
    public TimeSpan UsableMargin { get; set; } = TimeSpan.FromSeconds(10);
}
