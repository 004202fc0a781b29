using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Nhi.TokenExchange;

/// <summary>The form of an OAuth request, by the rules of RFC 6749 §3.2, and the client's proof in it.</summary>
internal sealed class OAuthForm
{
    private const string FormType = "application/x-www-form-urlencoded";

    // RFC 8693 §2.1: these two alone may come more than once.
    private static readonly string[] Repeatable = ["audience", "resource"];

    private readonly IFormCollection _fields;

    private OAuthForm(IFormCollection fields) => _fields = fields;

    /// <exception cref="BrokerRefusal">It is no form, too large, or has something twice.</exception>
    public static async Task<OAuthForm> ReadAsync(BrokerCall call)
    {
        call.NeedMethod("POST");
        if (call.Request.QueryString.HasValue)
            throw new BrokerRefusal(RefusalKind.Malformed, "parameters belong into the form, not into the address");
        if (!MediaTypeHeaderValue.TryParse(call.Header(HeaderNames.ContentType), out MediaTypeHeaderValue? type) || type.MediaType != FormType || (type.Encoding is { } encoding && encoding is not UTF8Encoding))
            throw new BrokerRefusal(RefusalKind.WrongMediaType, $"the content type must be {FormType}, in UTF-8");
        try
        {
            var form = new OAuthForm(await call.Request.ReadFormAsync(call.Aborted).ConfigureAwait(false));
            form.Check();
            return form;
        }
        catch (BadHttpRequestException bad)
        {
            throw new BrokerRefusal(bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? RefusalKind.TooLarge : RefusalKind.Malformed, "the body is too large, or broken");
        }
        catch (InvalidDataException)
        {
            throw new BrokerRefusal(RefusalKind.Malformed, "the form has too many parameters, or one that is too long");
        }
    }

    /// <summary>The value; null where it is absent. RFC 6749 §3.2: a parameter without a value counts as left out.</summary>
    public string? One(string name) => _fields.TryGetValue(name, out StringValues values) && values is [{ Length: > 0 } value] ? value : null;

    public string Need(string name) => One(name) ?? throw new BrokerRefusal(RefusalKind.Malformed, $"the parameter {name} is missing");

    public IReadOnlyList<string> All(string name) => _fields.TryGetValue(name, out StringValues values) ? [.. values.Where(value => !string.IsNullOrEmpty(value)).Select(value => value!)] : [];

    /// <summary>The client, by the token that it presents as a bearer (RFC 6750 §2.1) or as its secret (RFC 6749 §2.3.1); over the Unix socket, without one, by its process.</summary>
    /// <exception cref="BrokerRefusal">It presents none where it has to, or one that is nobody's, or two that are not the same.</exception>
    public Caller Client(BrokerCall call) => Presented(call) ?? (call.Peer.IsLocalSocket ? call.ByProcess() : throw new BrokerRefusal(RefusalKind.Unproven, "the client's token is missing: send it as 'Authorization: Bearer TOKEN', or as client_secret"));

    /// <summary>As <see cref="Client"/>; null: it presents none.</summary>
    public Caller? Presented(BrokerCall call)
    {
        string[] tokens = [.. new[] { OfHeader(call.Header(HeaderNames.Authorization)), One("client_secret") }.OfType<string>()];
        if (tokens.Length == 0)
            return null;
        if (tokens.Length > 1)
            throw new BrokerRefusal(RefusalKind.Malformed, "the client's token comes twice: in the header and in the form");   // RFC 6749 §2.3: not more than one method
        return call.ByToken(tokens[0]) ?? throw new BrokerRefusal(RefusalKind.Unproven, "the client's token is none of this broker's");
    }

    private static string? OfHeader(string? authorization)
    {
        if (authorization is null)
            return null;
        if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return authorization["Bearer ".Length..].Trim();
        if (!authorization.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
            throw new BrokerRefusal(RefusalKind.Unproven, "the Authorization header must be Bearer or Basic");
        byte[] pair = new byte[authorization.Length];
        if (!Convert.TryFromBase64String(authorization["Basic ".Length..].Trim(), pair, out int length) || Encoding.UTF8.GetString(pair, 0, length).Split(':', 2) is not [_, var secret])
            throw new BrokerRefusal(RefusalKind.Unproven, "the Authorization header is not Basic with a name and a secret");
        return Uri.UnescapeDataString(secret.Replace('+', ' '));   // RFC 6749 §2.3.1: form-encoded first
    }

    private void Check()
    {
        foreach ((string name, StringValues values) in _fields)
        {
            if (name.Any(char.IsControl) || values.Any(value => value!.Any(char.IsControl)))
                throw new BrokerRefusal(RefusalKind.Malformed, "a parameter has a control character in it");
            if (values.Count > 1 && !Repeatable.Contains(name))
                throw new BrokerRefusal(RefusalKind.Malformed, $"the parameter '{ExceptionText.Clean(name, 40)}' comes {values.Count} times; once is allowed");
        }
    }
}
