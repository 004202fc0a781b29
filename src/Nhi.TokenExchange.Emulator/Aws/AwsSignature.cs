using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Nhi.TokenExchange;

/// <summary>Verifies a request's signature: "Signature Version 4 signing process".</summary>
internal static class AwsSignature
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(15);

    /// <summary>The session that signed the request.</summary>
    /// <exception cref="OAuthRefusal">It is unsigned, signed wrongly or by nobody known, or the session has ended.</exception>
    public static async Task<AwsSession> VerifyAsync(EmulatorRequest request, AwsSessions sessions, DateTimeOffset now)
    {
        HttpRequest http = request.Http.Request;
        Dictionary<string, string> parts = Parts(request.Authorization);
        if (!parts.TryGetValue("Credential", out string? credential) || !parts.TryGetValue("SignedHeaders", out string? signed) || !parts.TryGetValue("Signature", out string? signature) || credential.Split('/') is not [var key, var date, var region, var service, "aws4_request"])
            throw AwsXmlText.Refuse("MissingAuthenticationToken", "unsigned", "Request is missing Authentication Token", 403);
        if (sessions.Find(key) is not { } session || request.Header("X-Amz-Security-Token") != session.SessionToken)
            throw AwsXmlText.Refuse("InvalidClientTokenId", "key_unknown", "The security token included in the request is invalid.", 403);
        if (request.Header("X-Amz-Date") is not { } stamp || !DateTimeOffset.TryParseExact(stamp, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at) || (at - now).Duration() > Skew || !stamp.StartsWith(date, StringComparison.Ordinal))
            throw AwsXmlText.Refuse("SignatureDoesNotMatch", "date", "Signature expired or not yet current.", 403);
        string[] names = signed.Split(';');
        string headers = string.Concat(names.Select(name => $"{name}:{string.Join(',', http.Headers[name].Select(value => value?.Trim()))}\n"));
        string query = string.Join('&', http.Query.SelectMany(pair => pair.Value.Select(value => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(value ?? "")}")).Order(StringComparer.Ordinal));
        string canonical = $"{http.Method}\n{http.Path}\n{query}\n{headers}\n{signed}\n{await HashOfBodyAsync(http, request.Http.RequestAborted).ConfigureAwait(false)}";
        string toSign = $"{Algorithm}\n{stamp}\n{date}/{region}/{service}/aws4_request\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        byte[] derived = Encoding.UTF8.GetBytes("AWS4" + session.SecretAccessKey);
        foreach (string step in new[] { date, region, service, "aws4_request", toSign })
            derived = HMACSHA256.HashData(derived, Encoding.UTF8.GetBytes(step));
        bool isGood = names.Contains("host") && names.Contains("x-amz-date") && names.Contains("x-amz-security-token")
            && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Hex(derived)), Encoding.ASCII.GetBytes(signature));
        if (!isGood)
            throw AwsXmlText.Refuse("SignatureDoesNotMatch", "signature_bad", "The request signature we calculated does not match the signature you provided.", 403);
        return now < session.EndsAt ? session : throw AwsXmlText.Refuse("ExpiredToken", "expired", "The security token included in the request is expired", 403);
    }

    private static Dictionary<string, string> Parts(string authorization) =>
        !authorization.StartsWith(Algorithm + " ", StringComparison.Ordinal) ? []
        : authorization[(Algorithm.Length + 1)..].Split(',', StringSplitOptions.TrimEntries).Select(part => part.Split('=', 2)).Where(part => part.Length == 2).DistinctBy(part => part[0]).ToDictionary(part => part[0], part => part[1], StringComparer.Ordinal);

    // The form was read from it before: the body is kept for endpoints whose requests are signed.
    private static async Task<string> HashOfBodyAsync(HttpRequest http, CancellationToken cancellationToken)
    {
        http.Body.Position = 0;
        return Hex(await SHA256.HashDataAsync(http.Body, cancellationToken).ConfigureAwait(false));
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
