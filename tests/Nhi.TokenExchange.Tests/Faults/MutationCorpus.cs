using System.Text;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>What is damaged: good and bad answers, documents, proofs and settings as they come, with one secret in them that must never be seen. Made anew for each case.</summary>
internal sealed class MutationCorpus(Mutator chance)
{
    /// <summary>In each token and each proof of the case.</summary>
    public string Canary { get; } = $"canary{chance.Hex(10)}";

    public string Token => chance.OneOf(
        $"at-{Canary}-0123456789", AnsweredJob.Jwt($$"""{"aud":"{{AnsweringWire.Issuer}}","exp":{{Proofs.Now.AddMinutes(50).ToUnixTimeSeconds()}},"scope":["read"]}""", canary: Canary));

    public string Proof(Audience audience) => AnsweredJob.Jwt(
        $$"""{"iss":"https://idp.example","sub":"job:orders","aud":"{{audience}}","iat":{{Proofs.Now.ToUnixTimeSeconds()}},"exp":{{Proofs.Now.AddMinutes(10).ToUnixTimeSeconds()}},"run":{"id":"77","list":["a",1]} }""", canary: Canary);

    /// <summary>A damaged answer of a token endpoint: RFC 8693, RFC 6749 §5.2, a gateway before it, a page.</summary>
    public HttpResponseMessage Answer(string proof)
    {
        string token = Token;
        string good = $$"""{"access_token":"{{token}}","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3600,"scope":"read write","authorization_details":[{"type":"rows","actions":["read"]}]}""";
        string refusal = $$"""{"error":"{{chance.OneOf("invalid_grant", "invalid_request", "invalid_scope", "temporarily_unavailable", "x")}}","error_description":"got {{chance.OneOf(proof, Uri.EscapeDataString(proof), proof[..40], token)}} of {{token}}","error_uri":"https://issuer.example/?t={{token}}","correlation_id":"{{token}}"}""";
        string gateway = $$"""{"error_code":{{chance.OneOf("403", "\"PERMISSION_DENIED\"")}},"message":"token {{token}} is bad","details":[{"reason":"x"}]}""";
        bool isGood = chance.Below(3) > 0;
        string text = isGood ? good : chance.OneOf(refusal, gateway, $"<html>{token}</html>");
        string damaged = text[0] == '{' ? chance.Json(text, "access_token", "token_type", "issued_token_type", "expires_in", "scope", "error", "error_description", "refresh_token", "authorization_details") : chance.Text(text);
        byte[] body = Encoding.UTF8.GetBytes(damaged);
        int status = isGood && !chance.OnceIn(8) ? 200 : chance.OneOf(400, 401, 403, 404, 429, 500, 503, 200, 201, 204, 302, 307);
        HttpResponseMessage response = AnsweringWire.Of(
            chance.Below(100) switch { < 10 => chance.Bytes(body), 10 => [.. body, .. new byte[1_500_000]], _ => body },
            chance.OnceIn(8) ? chance.OneOf("text/html", "text/json", "application/problem+json", null) : "application/json", (System.Net.HttpStatusCode)status);
        AddHeaders(response, token, proof);
        return response;
    }

    /// <summary>A damaged document of RFC 8414.</summary>
    public HttpResponseMessage Document()
    {
        string document = chance.Json($$"""{"issuer":"{{AnsweringWire.Issuer}}","token_endpoint":"{{AnsweringWire.TokenEndpoint}}","revocation_endpoint":"{{AnsweringWire.RevocationEndpoint}}","grant_types_supported":["urn:ietf:params:oauth:grant-type:token-exchange"]}""", "issuer", "token_endpoint", "revocation_endpoint");
        return AnsweringWire.Of(chance.OnceIn(10) ? chance.Bytes(Encoding.UTF8.GetBytes(document)) : Encoding.UTF8.GetBytes(document), chance.OnceIn(10) ? "text/html" : "application/json");
    }

    private void AddHeaders(HttpResponseMessage response, string token, string proof)
    {
        foreach ((string name, string value) in new[]
        {
            ("Retry-After", "7"), ("Date", "Thu, 01 Jan 2026 00:00:00 GMT"), ("x-request-id", $"c-7 {token}"), ("Location", $"https://elsewhere.example/{token}"), ("WWW-Authenticate", $"Bearer error=\"{token}\""), ("x-ms-request-id", proof),
        })
        {
            if (chance.OnceIn(3))
                response.Headers.TryAddWithoutValidation(name, OneLine(chance.OnceIn(2) ? chance.Text(value) : value));
        }
        if (chance.OnceIn(20))
            response.Content.Headers.TryAddWithoutValidation("Content-Encoding", OneLine(chance.OneOf("gzip", token)));
    }

    // A line end in a header is no answer that a wire brings.
    private static string OneLine(string value) => string.Concat(value.Where(c => c is not ('\r' or '\n' or '\0')));
}
