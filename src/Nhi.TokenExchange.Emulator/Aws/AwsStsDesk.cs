using System.Globalization;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange;

/// <summary>STS: which action, whether its parameters are in order, what it gives.</summary>
internal sealed partial class AwsStsDesk(EmulatedAws aws, ProofIssuers issuers, Ledger ledger, string canary, EmulatorOptions options)
{
    private readonly AwsSessions _sessions = new(canary);
    private readonly AwsWebIdentity _identities = new(aws, issuers, options);

    public async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request)
    {
        if (request.Form.One("Version") != "2011-06-15")
            throw AwsXmlText.Refuse("InvalidAction", "version", "Could not find operation for the version of the request");
        return request.Form.One("Action") switch
        {
            "AssumeRoleWithWebIdentity" => await AssumeAsync(request).ConfigureAwait(false),
            "GetCallerIdentity" => await IdentifyAsync(request).ConfigureAwait(false),
            var action => throw AwsXmlText.Refuse("InvalidAction", "action", $"Could not find operation {action} for version 2011-06-15"),
        };
    }

    private async Task<EmulatorAnswer> AssumeAsync(EmulatorRequest request)
    {
        // What is signed with other credentials is taken for theirs (aws/aws-sdk-php#1725).
        if (request.Header("X-Amz-Security-Token") is not null)
            throw AwsXmlText.Refuse("InvalidIdentityToken", "signed", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)");
        string arn = Need(request, "RoleArn"), name = Need(request, "RoleSessionName"), proof = Need(request, "WebIdentityToken");
        if (!SessionName().IsMatch(name))
            throw Invalid("session_name", $"Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*");
        long seconds = Duration(request.Form.One("DurationSeconds"));
        string? policy = AwsSessionLimits.Policy(request.Form.One("Policy"));
        string[] arns = AwsSessionLimits.PolicyArns(request.Form);
        try
        {
            (AwsRole role, ReceivedJwt jwt) = await _identities.VerifyAsync(proof, arn, name).ConfigureAwait(false);
            if (seconds > role.MaxSessionDuration.TotalSeconds)
                throw AwsXmlText.Refuse("ValidationError", "duration", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
            int packed = AwsSessionLimits.PackedSize(policy, arns, AwsWebIdentity.Tags(jwt));
            return Issue(request, role, name, jwt, seconds, policy, arns, packed);
        }
        catch (OAuthRefusal refusal)
        {
            refusal.ClientId = arn;
            throw;
        }
    }

    private EmulatorAnswer Issue(EmulatorRequest request, AwsRole role, string name, ReceivedJwt jwt, long seconds, string? policy, string[] arns, int packed)
    {
        DateTimeOffset now = options.Time.GetUtcNow();
        var end = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds() + seconds);
        AwsSession session = _sessions.Add($"arn:aws:sts::{aws.AccountId}:assumed-role/{role.Name}/{name}", $"{role.Id}:{name}", end);
        ledger.Add(new LedgerIssue
        {
            Fingerprint = Ledger.FingerprintOf(session.SessionToken), Issuer = aws.Origin, ClientId = role.Arn, Subject = session.Arn, Scope = "", Audience = arns, SessionPolicy = policy,
            IssuedAt = now, EndsAt = end, RequestId = request.RequestId,
        });
        string credentials = AwsXmlText.Element("AccessKeyId", session.AccessKeyId) + AwsXmlText.Element("SecretAccessKey", session.SecretAccessKey) + AwsXmlText.Element("SessionToken", session.SessionToken)
            + AwsXmlText.Element("Expiration", end.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        string user = AwsXmlText.Element("AssumedRoleId", session.UserId) + AwsXmlText.Element("Arn", session.Arn);
        return AwsXmlText.Result(
            request, "AssumeRoleWithWebIdentity",
            AwsXmlText.Element("SubjectFromWebIdentityToken", jwt.ClaimText("sub")) + AwsXmlText.Element("Audience", jwt.Audience()[0]) + $"<AssumedRoleUser>{user}</AssumedRoleUser><Credentials>{credentials}</Credentials>"
                + AwsXmlText.Element("Provider", $"arn:aws:iam::{aws.AccountId}:oidc-provider/{JwtChecks.IssuerNamed(jwt).Split("://")[^1]}") + AwsXmlText.Element("PackedPolicySize", packed == 0 ? null : packed.ToString(CultureInfo.InvariantCulture)));
    }

    private async Task<EmulatorAnswer> IdentifyAsync(EmulatorRequest request)
    {
        string? presented = request.Header("X-Amz-Security-Token") is { } text ? Ledger.FingerprintOf(text) : null;
        try
        {
            AwsSession session = await AwsSignature.VerifyAsync(request, _sessions, options.Time.GetUtcNow()).ConfigureAwait(false);
            Used(request, presented, UseVerdict.Accepted);
            return AwsXmlText.Result(request, "GetCallerIdentity", AwsXmlText.Element("Arn", session.Arn) + AwsXmlText.Element("UserId", session.UserId) + AwsXmlText.Element("Account", aws.AccountId));
        }
        catch (OAuthRefusal refusal)
        {
            Used(request, presented, refusal.Reason switch { "unsigned" => UseVerdict.Missing, "expired" => UseVerdict.Expired, _ => UseVerdict.Unknown });
            throw;
        }
    }

    private void Used(EmulatorRequest request, string? fingerprint, UseVerdict verdict) => ledger.Add(new LedgerUse(fingerprint, options.Time.GetUtcNow(), verdict, "GetCallerIdentity", request.RequestId));

    private static string Need(EmulatorRequest request, string name) => request.Form.One(name) ?? throw Invalid("parameter_missing", $"Value null at '{char.ToLowerInvariant(name[0])}{name[1..]}' failed to satisfy constraint: Member must not be null");

    private static long Duration(string? text)
    {
        const long Usual = 3600, Shortest = 900, Longest = 43200;
        if (text is null)
            return Usual;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) && seconds is >= Shortest and <= Longest
            ? seconds
            : throw Invalid("duration", $"Value '{text}' at 'durationSeconds' failed to satisfy constraint: Member must have value between {Shortest} and {Longest}");
    }

    private static OAuthRefusal Invalid(string reason, string what) => AwsXmlText.Refuse("ValidationError", reason, $"1 validation error detected: {what}");

    [GeneratedRegex(@"^[A-Za-z0-9_+=,.@-]{2,64}\z")]
    private static partial Regex SessionName();
}
