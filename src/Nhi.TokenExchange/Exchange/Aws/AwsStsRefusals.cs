namespace Nhi.TokenExchange;

/// <summary>Turns a refusal of AWS STS into an exception that says what to repair: what was presented, beside what IAM has to know, and the command that makes it so.</summary>
/// <remarks>Codes: AWS STS API Reference, "AssumeRoleWithWebIdentity" and "Common Error Types".</remarks>
internal sealed class AwsStsRefusals(string role, AwsPartition partition, string region, Uri endpoint)
{
    private static readonly string[] Throttled = ["Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"];
    private static readonly string[] Down = ["IDPCommunicationError", "ServiceUnavailable", "InternalFailure"];

    /// <summary>Whether an answer says "not now" by its code: STS does so with 400, too.</summary>
    public static bool IsPassing(HttpResponseMessage response)
    {
        if (response.IsSuccessStatusCode || response.Content is not BoundedContent content)
            return false;
        (string code, string message, _) = Read(content.Bytes);
        return IsPassing(code, message);
    }

    /// <summary>The exception for an answer that is no success.</summary>
    public TokenExchangeException Of(HttpResponseMessage response, ReadOnlySpan<byte> body, SentSecrets sent, ExchangeRequest request)
    {
        (string code, string message, string? id) = Read(body);
        int status = (int)response.StatusCode;
        bool throttled = status == 429 || Throttled.Contains(code);
        bool transient = throttled || status is 408 or >= 500 || IsPassing(code, message);
        string said = OuterText.Shown(message, sent: sent);
        return new TokenExchangeException(
            throttled ? ErrorCodes.IssuerThrottled : transient ? ErrorCodes.IssuerUnreachable : CodeOf(code), ExchangeStage.Exchange,
            $"Host {endpoint.IdnHost} answered {status}{(code.Length > 0 ? $" {OuterText.Shown(code, 60, sent)}" : "")}{(said.Length > 0 ? $": {said}" : "")}")
        {
            IsTransient = transient,
            RetryAfter = transient ? RetryAfterHeader.Read(response, request.Time) : null,
            CorrelationId = CorrelationIds.Of(response, sent) ?? (id is null ? null : OuterText.Shown(id, 100, sent)),
            Hint = HintFor(code, message, request.Subject),
        };
    }

    private static (string Code, string Message, string? RequestId) Read(ReadOnlySpan<byte> body)
    {
        AwsXml xml = AwsXml.Read(body);
        return (xml["ErrorResponse/Error/Code"] ?? "", xml["ErrorResponse/Error/Message"] ?? "", xml["ErrorResponse/RequestId"]);
    }

    // "Couldn't retrieve verification key from your identity provider": the issuer was slow, and the proof is good.
    private static bool IsPassing(string code, string message) =>
        Down.Contains(code) || Throttled.Contains(code) || (code == "InvalidIdentityToken" && message.Contains("verification key", StringComparison.OrdinalIgnoreCase));

    private static string CodeOf(string code) => code switch
    {
        "ExpiredTokenException" or "ExpiredToken" or "InvalidIdentityToken" => ErrorCodes.ProofRefused,   // a new one is worth one try
        "AccessDenied" or "AccessDeniedException" => ErrorCodes.TrustMismatch,
        _ => ErrorCodes.IssuerRefused,
    };

    private string? HintFor(string code, string message, SubjectToken subject) => code switch
    {
        "ExpiredTokenException" or "ExpiredToken" => "The proof had ended when STS looked at it. Compare the clocks, and let the platform give proofs that live longer.",
        "IDPCommunicationError" or "InvalidIdentityToken" when IsPassing(code, message) => $"STS did not get the keys of the proof's issuer in time. Its discovery document and its keys must be reachable from the internet{(PresentedProof.Read(subject) is { } of ? $", at {PresentedProof.Shown(of.Issuer)}/.well-known/openid-configuration" : "")}.",
        "InvalidIdentityToken" => HintForToken(message, PresentedProof.Read(subject)),
        "AccessDenied" or "AccessDeniedException" => HintForTrust(PresentedProof.Read(subject)),
        "IDPRejectedClaim" => "The proof's issuer itself says that it is not, or no longer, good.",
        "MalformedPolicyDocument" => "STS can't read the session policy. Check the actions (Scopes) and the ARNs (Resources) of the target, or SessionPolicy.",
        "PackedPolicyTooLarge" => "The session policy, PolicyArns and the session tags of the proof are too large together. Name fewer resources, or patterns of them, or put the policy into IAM and name it in PolicyArns.",
        "RegionDisabledException" => $"The account has STS switched off in {region}. Activate it (IAM console, Account settings, STS endpoints), or set Region to one where it is active.",
        "ValidationError" when message.Contains("DurationSeconds", StringComparison.Ordinal) => $"The role's maximum session duration is shorter than the target's MaxLifetime. Lower MaxLifetime, or: aws iam update-role --role-name {AwsArn.NameOf(role)} --max-session-duration SECONDS",
        "ValidationError" => "STS refuses a parameter. Check RoleArn, SessionName, PolicyArns, and that the proof is a JWT.",
        _ when Throttled.Contains(code) => "AWS limits how often it is asked; ask less often.",
        "" => "The answer is none of AWS STS: check Endpoint, if it is set; a proxy may have answered.",
        _ => null,
    };

    private string HintForToken(string message, PresentedProof? proof)
    {
        if (proof is null)
            return "What was presented is no JWT. STS takes ID tokens of an OpenID Connect issuer.";
        string provider = $"An IAM OIDC provider of account {AwsArn.AccountOf(role)} has to name that issuer as its URL, and that audience among its client ids.";
        bool isAudience = message.Contains("audience", StringComparison.OrdinalIgnoreCase);
        string command = !CommandText.IsPlain(proof.Issuer, proof.Audience) ? ""
            : isAudience ? $" An admin adds the audience: aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn '{ProviderOf(proof)}' --client-id '{proof.Audience}'"
            : $" An admin makes it: aws iam create-open-id-connect-provider --url '{proof.Issuer}' --client-id-list '{proof.Audience}'";
        return $"Presented were {proof}. {provider}{(isAudience ? " Or set SubjectAudience to one that it has." : "")} If it does, look at the issuer's keys and the clocks.{command}";
    }

    private string HintForTrust(PresentedProof? proof)
    {
        string name = PresentedProof.Shown(AwsArn.NameOf(role));
        if (proof is null)
            return $"The trust policy of role {name} does not let this proof in, or there is no such role.";
        bool tags = proof.Has("https://aws.amazon.com/tags"), source = proof.Has("https://aws.amazon.com/source_identity");
        string more = $"{(tags ? " and sts:TagSession (the proof has session tags)" : "")}{(source ? " and sts:SetSourceIdentity (the proof names a source identity)" : "")}";
        string said = $"Presented were {proof}. There has to be a role {name} in account {AwsArn.AccountOf(role)}, whose trust policy allows sts:AssumeRoleWithWebIdentity{more} to the provider of that issuer, under conditions that hold for that subject and that audience, character by character.{proof.OtherForm} "
            + "What was made seconds ago may not be known everywhere yet.";
        if (!CommandText.IsPlain(proof.Issuer, proof.Subject, proof.Audience, AwsArn.NameOf(role)))
            return said;
        string host = HostOf(proof);
        string actions = tags || source ? $"[\"sts:AssumeRoleWithWebIdentity\"{(tags ? ",\"sts:TagSession\"" : "")}{(source ? ",\"sts:SetSourceIdentity\"" : "")}]" : "\"sts:AssumeRoleWithWebIdentity\"";
        return $"{said} An admin makes it so (this replaces the whole trust policy): aws iam update-assume-role-policy --role-name {AwsArn.NameOf(role)} --policy-document '{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\","
            + $"\"Principal\":{{\"Federated\":\"{ProviderOf(proof)}\"}},\"Action\":{actions},\"Condition\":{{\"StringEquals\":{{\"{host}:aud\":\"{proof.Audience}\",\"{host}:sub\":\"{proof.Subject}\"}}}}}}]}}'";
    }

    // IAM names a provider by its URL without the scheme.
    private static string HostOf(PresentedProof proof) => proof.Issuer.StartsWith("https://", StringComparison.Ordinal) ? proof.Issuer["https://".Length..] : proof.Issuer;

    private string ProviderOf(PresentedProof proof) => $"arn:{partition.Name}:iam::{AwsArn.AccountOf(role)}:oidc-provider/{HostOf(proof)}";
}
