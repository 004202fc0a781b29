namespace Nhi.TokenExchange;

/// <summary>Turns a refusal of Key Vault into an exception: "REST API error codes", "Key Vault authentication".</summary>
internal static class KeyVaultRefusal
{
    public static TokenExchangeException Of(HttpResponseMessage response, ReadOnlySpan<byte> body, KeyVaultKeyStore store, TimeProvider time, SentSecrets sent)
    {
        int status = (int)response.StatusCode;
        (string? code, string? message, string? inner) = OAuthIssuer.IsJson(response.Content) ? Read(body) : default;
        bool isTransient = status is 408 or 429 or >= 500;
        string said = string.Join(", ", new[] { code, inner }.Where(one => !string.IsNullOrEmpty(one)).Select(one => OuterText.Shown(one, 60, sent)));
        string shown = message is { Length: > 0 } ? $": {OuterText.Shown(message.ReplaceLineEndings(" "), sent: sent).TrimEnd('.')}" : "";
        return new TokenExchangeException(
            status == 429 ? ErrorCodes.IssuerThrottled : isTransient ? ErrorCodes.IssuerUnreachable : status == 401 ? ErrorCodes.ProofRefused : ErrorCodes.IssuerRefused,
            ExchangeStage.Exchange, $"{store.Secret} was answered by {status}{(said.Length > 0 ? $" {said}" : "")}{shown}.")
        {
            IsTransient = isTransient,
            RetryAfter = isTransient ? RetryAfterHeader.Read(response, time) : null,
            CorrelationId = CorrelationIds.Of(response, sent),
            Hint = HintFor(status, inner),
        };
    }

    // {"error":{"code":"Forbidden","message":"…","innererror":{"code":"ForbiddenByRbac"}}}
    private static (string? Code, string? Message, string? Inner) Read(ReadOnlySpan<byte> json)
    {
        string? code = null, message = null, inner = null;
        var members = new JsonMembers(json);
        while (members.MoveNext())
        {
            if (members.Name != "error" || members.IsNull)
                continue;
            var error = new JsonMembers(members.Raw());
            while (error.MoveNext())
            {
                switch (error.Name)
                {
                    case "code": code = error.TextOrNumber(); break;
                    case "message": message = error.TextOrNumber(); break;
                    case "innererror" when !error.IsNull: inner = CodeIn(error.Raw()); break;
                    default: break;
                }
            }
        }
        return (code, message, inner);
    }

    private static string? CodeIn(ReadOnlySpan<byte> json)
    {
        var members = new JsonMembers(json);
        while (members.MoveNext())
        {
            if (members.Name == "code")
                return members.TextOrNumber();
        }
        return null;
    }

    private static string? HintFor(int status, string? inner) => status switch
    {
        401 => "Key Vault refused the token. The target that is gone through must ask for the scope https://vault.azure.net/.default, in the tenant of the vault.",
        403 when inner == "SecretDisabled" => "The secret is disabled: let its owner enable it, or store the next version.",
        403 when inner is "ForbiddenByFirewall" or "ForbiddenByConnection" => "The vault's firewall does not let this network in.",
        403 => "Let the identity read this one secret: the role Key Vault Secrets User on it, or get in the vault's access policy.",
        404 => "Check the name of the secret, its version and the vault; it may have been deleted.",
        429 => "The vault limits how often it is asked.",
        _ => null,
    };
}
