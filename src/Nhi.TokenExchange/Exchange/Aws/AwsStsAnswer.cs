using System.Diagnostics;
using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>What STS said in a 200 answer to <c>AssumeRoleWithWebIdentity</c>, and what was wrong with how it said it.</summary>
internal sealed class AwsStsAnswer
{
    private const string Namespace = "https://sts.amazonaws.com/doc/2011-06-15/";
    private const string Result = "AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/";

    private static readonly string[] Parts = ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"];

    // A session lives 12 hours at most; what says more is no date of one.
    private static readonly TimeSpan Beyond = TimeSpan.FromDays(1);

    public string? AccessKeyId { get; private init; }

    /// <summary>What may be written down of the session: the key's id, but not one that is a secret.</summary>
    public string? Handle { get; private init; }

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public string? SecretAccessKey { get; private init; }

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public string? SessionToken { get; private init; }

    public DateTimeOffset? Expiration { get; private init; }

    /// <summary>The role's id and the session's name; null if it is none.</summary>
    public string? AssumedRoleId { get; private init; }

    /// <summary>STS's name for the request, fit for a message.</summary>
    public string? RequestId { get; private init; }

    /// <summary>The first fault of the form; null if there is none. Quotes no secret.</summary>
    public string? Fault { get; private init; }

    /// <summary>Whether there is something that could be used, however it was said: it exists.</summary>
    public bool HasKeys => AccessKeyId is not null && SecretAccessKey is not null && SessionToken is not null;

    /// <summary>Reads a body.</summary>
    /// <param name="xml">The body.</param>
    /// <param name="askedAt">The instant before the request was sent that this answers.</param>
    /// <param name="secrets">What was sent. What came is added.</param>
    public static AwsStsAnswer Read(ReadOnlySpan<byte> xml, DateTimeOffset askedAt, SentSecrets secrets)
    {
        AwsXml read = AwsXml.Read(xml);
        string? key = read[$"{Result}Credentials/SecretAccessKey"], token = read[$"{Result}Credentials/SessionToken"];
        foreach (string secret in new[] { key, token }.OfType<string>())
            secrets.Add(secret);
        string? expiration = read[$"{Result}Credentials/Expiration"];
        DateTimeOffset? end = EndOf(expiration) is { } said && said < askedAt + Beyond ? said : null;
        string? missing = Parts.FirstOrDefault(name => read[$"{Result}Credentials/{name}"] is null);
        string? keyId = read[$"{Result}Credentials/AccessKeyId"], handle = keyId is not null && MayBeSaid(keyId, secrets) ? keyId : null;
        return new AwsStsAnswer
        {
            AccessKeyId = keyId,
            Handle = handle,
            SecretAccessKey = key,
            SessionToken = token,
            Expiration = end,
            AssumedRoleId = read[$"{Result}AssumedRoleUser/AssumedRoleId"] is { } id && IsAssumedRoleId(id) && MayBeSaid(id, secrets) ? id : null,
            RequestId = read["AssumeRoleWithWebIdentityResponse/ResponseMetadata/RequestId"] is { } request ? OuterText.Shown(request, 100, secrets) : null,
            Fault = FaultOf(read, secrets) ?? (missing is null && read.Namespace != Namespace ? "is in another namespace than that of STS" : missing is not null ? $"has no {missing}"
                : handle is null ? "has an AccessKeyId that repeats a secret"
                : end is null ? $"has an Expiration '{OuterText.Shown(expiration, 40, secrets)}' that is no end of a session: an instant within a day, such as 2026-01-01T00:00:00Z" : null),
        };
    }

    private static string? FaultOf(AwsXml read, SentSecrets secrets) => read.Twice is { } name ? $"has '{OuterText.Shown(name, 40, secrets)}' twice" : read.Fault;

    // What names a key or a session goes into logs and audit.
    private static bool MayBeSaid(string id, SentSecrets secrets) => !secrets.Meet(id) && !id.Split(':').Any(part => secrets.HasPart(part));

    // ISO 8601 with its zone: an end whose zone had to be guessed may be hours off.
    private static DateTimeOffset? EndOf(string? text) =>
        text is [_, _, _, _, '-', _, _, '-', _, _, 'T', .. var time] && time.AsSpan().ContainsAny('Z', '+', '-')
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset end)
            ? end
            : null;

    private static bool IsAssumedRoleId(string text) =>
        text.Split(':') is [{ Length: > 0 and <= 128 } role, var session] && role.All(char.IsAsciiLetterOrDigit) && AwsSessionName.FaultOf(session) is null;
}
