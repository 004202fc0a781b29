namespace Nhi.TokenExchange;

/// <summary>Turns a refusal of Vault into an exception, by the status table of its HTTP API.</summary>
internal static class VaultRefusal
{
    // "Tokens": service, batch and recovery tokens, those of before 1.10 too; and a JWT, such as the proof.
    private static readonly string[] TokenBeginnings = ["hvs.", "hvb.", "hvr.", "s.", "b.", "r.", "eyJ"];

    public static TokenExchangeException Of(VaultReply reply, VaultServer server, TimeProvider time)
    {
        // 412: what was written a moment ago has not reached this node yet. 5xx: sealed, in maintenance, or a third party behind it failed.
        bool throttled = reply.Status == 429;
        bool transient = throttled || reply.Status is 408 or 412 or >= 500;
        string code = throttled ? ErrorCodes.IssuerThrottled : transient ? ErrorCodes.IssuerUnreachable : CodeOf(reply);
        return new TokenExchangeException(code, ExchangeStage.Exchange, $"{Said(reply, server)}.")
        {
            IsTransient = transient,
            RetryAfter = transient ? RetryAfterHeader.Read(reply.Response, time) : null,
            CorrelationId = reply.CorrelationId,
            Hint = HintFor(reply),
        };
    }

    /// <summary>Something could not be ended.</summary>
    public static TokenExchangeException OfRevocation(VaultReply reply, VaultServer server, TimeProvider time, string? hint = null)
    {
        TokenExchangeException refused = Of(reply, server, time);
        return new TokenExchangeException(ErrorCodes.RevocationFailed, ExchangeStage.Revoke, refused.Detail, refused)
        {
            IsTransient = refused.IsTransient || reply.SaysEngineFailed || reply.IsSuccess, RetryAfter = refused.RetryAfter, CorrelationId = refused.CorrelationId, Hint = hint ?? refused.Hint,
        };
    }

    public static TokenExchangeException Malformed(VaultServer server, VaultAnswer answer, string what) =>
        new(ErrorCodes.IssuerAnswerMalformed, ExchangeStage.Exchange, $"The answer of host {server.Address.IdnHost} {what}.")
        {
            CorrelationId = answer.RequestId, Hint = "Check the address of the server, the mount and the path.",
        };

    /// <summary>A wrapped answer was not there any more, or was another one.</summary>
    /// <param name="server">Where it was made.</param>
    /// <param name="call">What was asked.</param>
    /// <param name="what">What happened: a sentence without subject.</param>
    /// <param name="accessor">What Vault says ends the token in it; null if it says none, or did not say that.</param>
    public static TokenExchangeException Opened(VaultServer server, VaultCall call, string what, string? accessor)
    {
        const string AsRead = "Treat it as read by somebody else until you know better: ", Look = "look into Vault's audit for the wrapping token's use";
        string? shown = IsAccessor(accessor) ? accessor : null;
        return new TokenExchangeException(ErrorCodes.WrappedAnswerOpened, ExchangeStage.Exchange, $"The wrapped answer of host {server.Address.IdnHost} {what}.{(shown is null ? "" : $" The token in it has the accessor {shown}.")}")
        {
            // A secret dies with the login that it was read with. A login hangs on nothing, and no job has it to end it.
            Hint = AsRead + (!IsLogin(call) ? $"end the job, which ends what was issued to it, and {Look}."
                : shown is null ? $"no end of a job ends this login. Find its token's accessor in Vault's audit, revoke it by that, and {Look}."
                : $"no end of a job ends this login. Look at it (vault token lookup -accessor {shown}), revoke it (vault token revoke -accessor {shown}), and {Look}."),
        };
    }

    public static string Said(VaultReply reply, VaultServer server) =>
        $"Host {server.Address.IdnHost}:{server.Address.Port} answered {reply.Status} at {reply.Call.Path}{(reply.Shown is { Length: > 0 } shown ? $": {shown.TrimEnd('.')}" : "")}";

    // What is wrong with a login, Vault says by 400 and, with a Kubernetes token, by 403; a new proof may do. A role that is not there is nothing that a proof could cure.
    private static string CodeOf(VaultReply reply)
    {
        bool isOfTheProof = IsLogin(reply.Call) ? reply.Status is 400 or 403 && !reply.Says("role") : reply.SaysTokenIsDead;
        return isOfTheProof ? ErrorCodes.ProofRefused : ErrorCodes.IssuerRefused;
    }

    private static bool IsLogin(VaultCall call) => call.Token is null && call.Path.StartsWith("auth/", StringComparison.Ordinal);

    // It is shown, so it must be able to be one and no token.
    private static bool IsAccessor(string? text) =>
        text is { Length: > 0 and <= 64 } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.') && !TokenBeginnings.Any(beginning => text.StartsWith(beginning, StringComparison.Ordinal));

    private static string? HintFor(VaultReply reply) => reply.Status switch
    {
        200 => "That is no answer of Vault's; a proxy or a sign-in page may have answered. Whether it was ended is not known.",
        400 when reply.SaysEngineFailed => "The secrets engine could not end the lease: look at what stands behind it, such as the database, and at its revocation statements.",
        400 when reply.Says("role") => "Check Role: it must be there at this mount and namespace, and without one the mount must have a default role.",
        400 when reply.Call.Token is null => "Vault refused the proof. Compare its issuer, audience, subject and claims with the role's bound_audiences, bound_subject and bound_claims, and the clocks.",
        400 => "Check the path and the method of the target against the secrets engine.",
        403 when reply.SaysTokenIsDead => "The Vault token has ended or was revoked.",
        403 when reply.Call.Token is null => "Vault refused the proof, or this network (token_bound_cidrs). Compare the proof with the role.",
        403 => "Let a policy of the login's role permit this path, or correct the path. The target's other settings are right.",
        404 => "Check path, mount and Namespace. Vault says the same where a policy does not let the token see the path.",
        405 => "Set Method to the other one, Get or Post: the secrets engine does not take this one at that path.",
        412 => "The server has not caught up with what was just written.",
        429 => "The server limits how often it is asked; ask less often or have the quota raised.",
        472 or 473 => "This node is a secondary or a standby that serves no requests. Name the address of the active cluster.",
        503 => "The server is sealed or in maintenance.",
        _ => null,
    };
}
