using System.Globalization;
using System.Net;

namespace Nhi.TokenExchange;

/// <summary>Turns a refusal of Entra ID into an error that names the field, what was presented and what is expected.</summary>
/// <param name="trust">The exchanger's side of the trust.</param>
internal sealed class EntraRefusal(EntraTrust trust)
{
    // Long enough for the nodes that don't know a new trust yet, short enough for a job that waits.
    private static readonly TimeSpan UntilTrustIsKnown = TimeSpan.FromSeconds(10);

    // A client that Entra has stopped for looping is let in again after minutes of silence.
    private static readonly TimeSpan UntilLoopIsForgiven = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan UntilTenantHasRoom = TimeSpan.FromMinutes(1);

    // learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
    private const string ManagedIdentityRules = "As a proof only a user-assigned managed identity is taken, never a system-assigned one: name it by AzureManagedIdentityId.FromClientId; register its object id as the subject and https://login.microsoftonline.com/{its tenant}/v2.0 as the issuer.";

    private static readonly TimeSpan ClockDifferenceWorthSaying = TimeSpan.FromSeconds(60);

    /// <summary>The error for an answer that holds no token.</summary>
    /// <param name="answer">What Entra said.</param>
    /// <param name="proof">What was presented.</param>
    /// <param name="asked">The tenant and the scope that were asked.</param>
    /// <param name="mayBeUnknownYet">Whether the trust may have been made so recently that Entra does not know it.</param>
    public TokenExchangeException Of(EntraAnswer answer, PresentedProof proof, (string Tenant, string Scope) asked, bool mayBeUnknownYet)
    {
        int status = (int)answer.Status;
        if (answer.Error is null && answer.Code == 0 && status is >= 200 and < 300)
            return Malformed(answer, answer.Fault ?? "has no access_token");
        AadstsCode? code = AadstsCode.Of(answer.Code);
        // Status and error first: what they call passing is passing, whatever the number.
        bool isPassing = status >= 500 || answer.Status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout || answer.Error is "temporarily_unavailable" or "server_error";
        AadstsKind? kind = code?.Kind ?? (answer.Error == "interaction_required" ? AadstsKind.Policy : null);
        bool isUnknownYet = !isPassing && mayBeUnknownYet && code is { MaySettle: true };
        string error = answer.Status == HttpStatusCode.TooManyRequests || kind is AadstsKind.Throttled or AadstsKind.Loop ? ErrorCodes.IssuerThrottled
            : isPassing || kind == AadstsKind.Passing ? ErrorCodes.IssuerUnreachable
            : isUnknownYet ? ErrorCodes.TrustNotYetKnown
            : kind == AadstsKind.Trust ? ErrorCodes.TrustMismatch
            : kind == AadstsKind.Proof ? ErrorCodes.ProofRefused
            : ErrorCodes.IssuerRefused;
        return new TokenExchangeException(error, ExchangeStage.Exchange, Text(answer, code, proof, asked))
        {
            IsTransient = error is ErrorCodes.IssuerThrottled or ErrorCodes.IssuerUnreachable or ErrorCodes.TrustNotYetKnown,
            IssuerError = answer.Error,
            RetryAfter = RetryAfter(answer, kind, isUnknownYet),
            CorrelationId = answer.CorrelationId,
            Hint = Hint(answer, code, proof, isUnknownYet),
        };
    }

    /// <summary>The error for a proof that is not what the options say is registered; null if it is, or if they say nothing.</summary>
    public TokenExchangeException? BeforeSending(PresentedProof proof)
    {
        foreach ((TrustField field, string option, string? expected, string? presented) in new[] { (TrustField.Issuer, nameof(EntraOptions.ExpectedIssuer), trust.ExpectedIssuer, proof.Issuer), (TrustField.Subject, nameof(EntraOptions.ExpectedSubject), trust.ExpectedSubject, proof.Subject) })
        {
            if (expected is null || (proof.IsReadable && string.Equals(expected, presented, StringComparison.Ordinal)))
                continue;
            return new TokenExchangeException(ErrorCodes.TrustMismatch, ExchangeStage.Exchange, $"{Name(field)}: presented {proof.Shown(field)}; expected {Expected(field, presented, default)}. Nothing was sent.")
            {
                Hint = $"Use the identity that the federated identity credential was made for, or correct both the credential and {option}.",
            };
        }
        return null;
    }

    /// <summary>The error for an answer that is none.</summary>
    public TokenExchangeException Malformed(EntraAnswer answer, string what) =>
        new(ErrorCodes.IssuerAnswerMalformed, ExchangeStage.Exchange, $"The answer of host {trust.Host} (status {(int)answer.Status}) {what}.")
        {
            IsTransient = true, CorrelationId = answer.CorrelationId, Hint = "A proxy or a sign-in page may have answered; check EntraOptions.AuthorityHost.",
        };

    private string Text(EntraAnswer answer, AadstsCode? code, PresentedProof proof, (string Tenant, string Scope) asked)
    {
        string number = answer.Code == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" AADSTS{answer.Code}");
        string meaning = code is null ? "" : $": {code.Meaning}";
        string field = code is { Field: not TrustField.None } ? $". {Name(code.Field)}: presented {Presented(code.Field, proof, asked)}; expected {Expected(code.Field, ValueOf(code.Field, proof), asked)}" : "";
        string said = answer.Description is { } description ? $". It said: {description}" : "";
        return $"Host {trust.Host} answered {(int)answer.Status} {answer.Error ?? "without an error code"}{number}{meaning}{field}{said}";
    }

    private string Presented(TrustField field, PresentedProof proof, (string Tenant, string Scope) asked) => field switch
    {
        TrustField.ClientId => $"application '{trust.ClientId}' in tenant '{asked.Tenant}'",
        TrustField.Tenant => $"'{asked.Tenant}' at {trust.Host}",
        TrustField.Resource => $"'{ExceptionText.Clean(EntraScope.ResourceOf(asked.Scope))}'",
        TrustField.Scope => $"'{ExceptionText.Clean(asked.Scope)}'",
        TrustField.Cloud => $"tenant '{asked.Tenant}' at {trust.Host}, with a proof of issuer {proof.Shown(TrustField.Issuer)}",
        _ => proof.Shown(field),
    };

    private string Expected(TrustField field, string? presented, (string Tenant, string Scope) asked)
    {
        string? set = field switch { TrustField.Issuer => trust.ExpectedIssuer, TrustField.Subject => trust.ExpectedSubject, _ => null };
        if (set is not null)
        {
            string shown = $"'{ExceptionText.Clean(set, 300)}'";
            return ExactText.DifferenceOf(set, presented ?? "") is { } difference ? $"{shown} ({difference})" : $"{shown}, as Expected{field} says; so what Entra ID has registered on application '{trust.ClientId}' is another";
        }
        string credential = $"a federated identity credential on application '{trust.ClientId}' whose";
        return field switch
        {
            TrustField.Issuer => $"{credential} issuer is exactly that",
            TrustField.Subject => $"{credential} subject is exactly that",
            TrustField.Audience => $"{credential} audience is exactly that (asked for was '{ExceptionText.Clean(trust.SubjectAudience)}')",
            TrustField.Whole => $"{credential} issuer, subject and audience are exactly these",
            TrustField.Key => "a key that the issuer publishes in its jwks_uri, and a signature by it",
            TrustField.Times => string.Create(CultureInfo.InvariantCulture, $"that Entra ID's clock stands between these (ours: {trust.Now():O})"),
            TrustField.AppOnly => "a token that an application got for itself (idtyp 'app', no scp)",
            TrustField.ClientId => $"an enabled application of that client id in tenant '{asked.Tenant}' that takes assertions",
            TrustField.Tenant => "the id or a verified domain of a tenant of this cloud",
            TrustField.Resource => $"the App ID URI of an API that tenant '{asked.Tenant}' knows",
            TrustField.Scope => "one scope {resource}/.default",
            _ => "tenant, application and proof of the cloud that is asked",
        };
    }

    private static string? ValueOf(TrustField field, PresentedProof proof) => field switch { TrustField.Issuer => proof.Issuer, TrustField.Subject => proof.Subject, _ => null };

    private static string Name(TrustField field) => field switch
    {
        TrustField.Whole => "Issuer, subject and audience",
        TrustField.AppOnly => "Kind of token",
        TrustField.ClientId => "Client id",
        TrustField.Times => "Times",
        _ => field.ToString(),
    };

    private static TimeSpan? RetryAfter(EntraAnswer answer, AadstsKind? kind, bool isUnknownYet) => kind switch
    {
        AadstsKind.Loop => UntilLoopIsForgiven,
        AadstsKind.Throttled => answer.RetryAfter ?? UntilTenantHasRoom,
        _ => answer.RetryAfter ?? (isUnknownYet ? UntilTrustIsKnown : null),
    };

    private string? Hint(EntraAnswer answer, AadstsCode? code, PresentedProof proof, bool isUnknownYet)
    {
        string? known = isUnknownYet
            ? $"The trust may be too new for every node of Entra ID to know it; ask again while PropagationBudget lasts. If this stays: {code!.Hint}"
            : code?.Hint ?? answer.Error switch
            {
                "invalid_client" or "unauthorized_client" => "Compare the client id, the tenant and the federated identity credential (issuer, subject, audience) with the proof.",
                "invalid_scope" or "invalid_resource" => "Write the scope as {resource}/.default, of an API that the tenant knows.",
                _ when answer.HasClaims => "Entra ID demands claims: the tenant's policy wants more than this workload shows.",
                _ => null,
            };
        string? clock = answer.ClockDifference is { } difference && difference.Duration() >= ClockDifferenceWorthSaying
            ? FormattableString.Invariant($"Entra ID's clock is {difference.Duration().TotalSeconds:0} s {(difference > TimeSpan.Zero ? "ahead of" : "behind")} this machine's.")
            : null;
        string? identity = proof.IsEntras && code is { Field: TrustField.Issuer or TrustField.Subject or TrustField.Whole } ? ManagedIdentityRules : null;
        bool isOfTheTrust = code is { Field: TrustField.Issuer or TrustField.Subject or TrustField.Audience or TrustField.Whole };
        string joined = string.Join(' ', new[] { known, identity, isOfTheTrust ? proof.OtherForm : null, isOfTheTrust ? CommandFor(proof) : null, clock }.Where(hint => hint is not null));
        return joined.Length == 0 ? null : joined;
    }

    // learn.microsoft.com/cli/azure/ad/app/federated-credential
    private string? CommandFor(PresentedProof proof) =>
        !CommandText.IsPlain(trust.ClientId, proof.Issuer ?? "", proof.Subject ?? "", proof.Audience) ? null
        : $"An admin makes it so: az ad app federated-credential create --id {trust.ClientId} --parameters '{{\"name\":\"job\",\"issuer\":\"{proof.Issuer}\",\"subject\":\"{proof.Subject}\",\"audiences\":[\"{proof.Audience}\"]}}'"
            + " (one that is there is corrected by update and --federated-credential-id; a user-assigned identity has az identity federated-credential).";
}
