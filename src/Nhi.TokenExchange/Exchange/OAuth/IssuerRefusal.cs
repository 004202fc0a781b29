using System.Globalization;
using System.Net;

namespace Nhi.TokenExchange;

/// <summary>Turns an error answer of a token endpoint into an exception that says what to do.</summary>
internal static class IssuerRefusal
{
    // Below it nobody refuses anything for the clocks.
    private static readonly TimeSpan ClockDifferenceWorthSaying = TimeSpan.FromSeconds(60);

    /// <summary>The exception for an answer that is no success, or that names an error in spite of its status.</summary>
    public static TokenExchangeException Of(OAuthResponse answered, Uri endpoint, TimeProvider time, TokenCall? call = null)
    {
        HttpResponseMessage response = answered.Message;
        ErrorAnswer answer = OAuthIssuer.IsJson(response.Content) || response.IsSuccessStatusCode ? ErrorAnswer.Read(answered.Body, answered.Sent) : ErrorAnswer.Nothing;
        int status = (int)response.StatusCode;
        bool throttled = response.StatusCode == HttpStatusCode.TooManyRequests;
        // Defined for the authorization endpoint, sent by token endpoints too.
        bool transient = throttled || status >= 500 || response.StatusCode == HttpStatusCode.RequestTimeout || answer.Error is "temporarily_unavailable" or "server_error";
        string code = throttled ? ErrorCodes.IssuerThrottled
            : transient ? ErrorCodes.IssuerUnreachable
            : answer.Error is "invalid_grant" or "invalid_request" ? ErrorCodes.ProofRefused   // RFC 8693 §2.2.2: invalid_request too covers a proof that is expired or unacceptable; a new one is worth one try
            : ErrorCodes.IssuerRefused;
        // A REST gateway's error_code may be the status once more.
        string error = answer.Error == status.ToString(CultureInfo.InvariantCulture) ? "" : $" {answer.Error}";
        string said = answer.Description.Length > 0 ? $": {answer.Description}" : "";
        return new TokenExchangeException(code, ExchangeStage.Exchange, $"Host {endpoint.IdnHost} answered {status}{error}{said}")
        {
            // A try before this one may have reached the issuer and used the proof up: then the refusal says nothing about the next proof.
            IsTransient = transient || (answered.MayRepeatALostOne && code == ErrorCodes.ProofRefused),
            IssuerError = answer.Error,
            RetryAfter = transient ? RetryAfterHeader.Read(response, time) : null,
            CorrelationId = CorrelationIds.Of(response, answered.Sent) ?? answer.CorrelationId,
            Hint = Join(response.StatusCode == HttpStatusCode.NotFound ? call?.NotFoundHint ?? "Check the URI of the endpoint." : call?.RefusalHint?.Invoke(answer.Error) ?? HintFor(answer.Error, response.StatusCode), answer.Uri is null ? null : $"See {answer.Uri}.", ClockHint(response, time)),
        };
    }

    private static string? HintFor(string error, HttpStatusCode status) => error switch
    {
        "invalid_grant" => "The issuer refused the proof. Compare its issuer, subject and audience with what the issuer trusts, and the clocks.",
        "invalid_request" => "The issuer refused the proof or a parameter. Compare the proof's issuer, subject and audience with what the issuer trusts; check which of resource, audience and actor it takes.",
        "invalid_client" => "The issuer does not know the client, or refused how it authenticated. Check the client id, and that its key or its federated identity is registered; some issuers take a signed assertion only with Client.AssertionType 'client-authentication+jwt'.",
        "unauthorized_client" => "Allow this client the token exchange (or the assertion grant) at the issuer.",
        "unsupported_grant_type" => "This issuer does not do this kind of exchange, or has it switched off.",
        "invalid_scope" => "Ask for scopes that the issuer knows and grants to this identity.",
        "invalid_target" => "Check resource and audience: the issuer does not know them, or does not let this identity reach them.",
        "invalid_authorization_details" => "Check the authorization details against what the issuer supports.",
        "use_dpop_nonce" or "invalid_dpop_proof" => "The issuer demands sender-constrained tokens (DPoP), which this exchanger does not do.",
        _ when status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => "The issuer, or a gateway before it, denies this client or this network.",
        _ => null,
    };

    private static string? ClockHint(HttpResponseMessage response, TimeProvider time)
    {
        if (response.Headers.Date is not { } theirs)
            return null;
        TimeSpan difference = theirs - time.GetUtcNow();
        return difference.Duration() < ClockDifferenceWorthSaying ? null : FormattableString.Invariant($"The issuer's clock is {difference.Duration().TotalSeconds:0} s {(difference > TimeSpan.Zero ? "ahead of" : "behind")} this machine's.");
    }

    private static string? Join(params ReadOnlySpan<string?> hints)
    {
        string joined = string.Join(' ', hints.ToArray().Where(hint => hint is not null));
        return joined.Length == 0 ? null : joined;
    }
}
