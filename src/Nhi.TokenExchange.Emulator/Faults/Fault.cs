using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>One thing that goes wrong with one request. Immutable; the same fault can be planned many times.</summary>
/// <remarks>Faults that change fields leave an answer that is no JSON object as it is.</remarks>
public sealed class Fault
{
    private Fault(string name) => Name = name;

    /// <summary>What it does, for reports.</summary>
    public string Name { get; }

    /// <summary>How long the request waits before it is looked at.</summary>
    internal TimeSpan DelayBefore { get; private init; }

    /// <summary>What is answered in place of asking the endpoint.</summary>
    internal Func<EmulatorRequest, EmulatorAnswer>? Instead { get; private init; }

    /// <summary>What is changed in the endpoint's answer.</summary>
    internal Action<EmulatorAnswer>? Change { get; private init; }

    /// <summary>What the endpoint is made to grant beyond what was asked.</summary>
    internal string? Wider { get; private init; }

    internal bool ResetBefore { get; private init; }

    internal BodyWriting Writing { get; private init; } = BodyWriting.Whole;

    /// <summary>A status and headers in place of the endpoint's answer; nothing is issued.</summary>
    /// <param name="status">Such as 429 or 503.</param>
    /// <param name="headers">Such as <c>("Retry-After", "7")</c>.</param>
    public static Fault Status(int status, params (string Name, string Value)[] headers) => new($"status {status}")
    {
        Instead = _ => With(EmulatorAnswer.Of(new JsonObject { ["error"] = status == 429 ? "slow_down" : "server_error", ["error_description"] = "planned fault" }, status), headers),
    };

    /// <summary>An OAuth error (RFC 6749 §5.2) in place of the endpoint's answer; nothing is issued.</summary>
    /// <param name="error">The error code.</param>
    /// <param name="status">The HTTP status; default 400.</param>
    public static Fault Error(string error, int status = 400) => new($"error {error}")
    {
        Instead = _ => EmulatorAnswer.Of(new JsonObject { ["error"] = error, ["error_description"] = "planned fault" }, status).NotStored(),
    };

    /// <summary>An error of Microsoft Entra ID, with its whole body, in place of the endpoint's answer; nothing is issued.</summary>
    /// <param name="code">The AADSTS number, such as 90033 (temporarily unavailable) or 90055 (tenant throttled); it decides <c>error</c> and status.</param>
    /// <param name="status">Another HTTP status, such as 429; null for the one that belongs to the code.</param>
    /// <param name="headers">Such as <c>("Retry-After", "7")</c>.</param>
    public static Fault Entra(int code, int? status = null, params (string Name, string Value)[] headers) => new($"AADSTS{code}")
    {
        Instead = request => With(EntraErrors.Answer(request, code, "A planned fault.", status), headers),
    };

    /// <summary>An OAuth error whose description has a field of the request in it, a JWT from its claim <c>jti</c> on, as servers do that quote what they refuse; nothing is issued.</summary>
    /// <param name="field">The field of the form, such as <c>subject_token</c> or <c>client_assertion</c>. Where it is absent, the description says so.</param>
    /// <param name="code">An AADSTS number that stands before it, and in <c>error_codes</c>; null for an issuer other than Entra.</param>
    public static Fault Echo(string field, int? code = null) => new($"echo of {field}")
    {
        Instead = request => code is null
            ? EmulatorAnswer.Of(new JsonObject { ["error"] = "invalid_request", ["error_description"] = Quoted(request, field) }, 400).NotStored()
            : EntraErrors.Answer(request, code.Value, Quoted(request, field)),
    };

    /// <summary>A refusal as Vault writes it, in place of the endpoint's answer; nothing is issued.</summary>
    /// <param name="status">The HTTP status, such as 400, 403, 412, 429, 503.</param>
    /// <param name="errors">What it says; nothing, as Vault does with 404: <c>{"errors":[]}</c>.</param>
    public static Fault Vault(int status, params string[] errors) => new($"Vault {status}")
    {
        Instead = _ => EmulatorAnswer.Of(new JsonObject { ["errors"] = JsonText.Array(errors) }, status),
    };

    /// <summary>An error of AWS, in its XML, in place of the endpoint's answer; nothing is issued.</summary>
    /// <param name="code">The code, such as <c>IDPCommunicationError</c>, <c>PackedPolicyTooLarge</c>, <c>RegionDisabledException</c>.</param>
    /// <param name="status">The HTTP status; default 400.</param>
    /// <param name="message">What it says.</param>
    public static Fault Aws(string code, int status = 400, string message = "A planned fault.") => new($"AWS {code}") { Instead = request => AwsXmlText.Error(request, code, message, status) };

    /// <summary>An error as Google's APIs write it, in place of the endpoint's answer; nothing is issued.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="code">The status' name, such as <c>PERMISSION_DENIED</c>.</param>
    /// <param name="message">What it says.</param>
    public static Fault Google(int status, string code, string message = "A planned fault.") => new($"Google {code}") { Instead = _ => GoogleIamDesk.Error(status, code, message) };

    /// <summary>A redirect in place of the endpoint's answer.</summary>
    /// <param name="to">The value of <c>Location</c>.</param>
    /// <param name="status">301, 302, 303, 307 or 308; default 307, which repeats the body.</param>
    public static Fault Redirect(Uri to, int status = 307) => new($"redirect {status}") { Instead = _ => With(EmulatorAnswer.Empty(status), ("Location", to.OriginalString)) };

    /// <summary>The request waits, then goes on as usual.</summary>
    /// <param name="time">How long, on the emulator's clock.</param>
    public static Fault Delay(TimeSpan time) => new($"delay {time}") { DelayBefore = time };

    /// <summary>The connection is reset before the endpoint sees the request: nothing is issued.</summary>
    public static Fault Reset() => new("reset before") { ResetBefore = true };

    /// <summary>The endpoint does its work, then the connection is reset: a token is issued that nobody gets.</summary>
    public static Fault ResetAfterWork() => new("reset after work") { Writing = BodyWriting.Nothing };

    /// <summary>The answer promises its whole length, but the connection ends after some bytes.</summary>
    /// <param name="bytes">How many bytes of the body are sent.</param>
    public static Fault Truncate(int bytes) => new($"truncate after {bytes}") { Writing = BodyWriting.TruncateAfter(bytes) };

    /// <summary>The answer comes byte by byte.</summary>
    /// <param name="interval">The pause before each byte, on the emulator's clock.</param>
    public static Fault Drip(TimeSpan interval) => new($"drip {interval}") { Writing = BodyWriting.DripEvery(interval) };

    /// <summary>A body of another kind, such as a captive portal's page or a gateway's refusal.</summary>
    /// <param name="body">The body.</param>
    /// <param name="contentType">Its media type.</param>
    /// <param name="status">The HTTP status.</param>
    public static Fault Body(string body, string contentType = "application/json", int status = 200) => new($"body {contentType}")
    {
        Instead = _ => new EmulatorAnswer { Raw = Encoding.UTF8.GetBytes(body), ContentType = contentType, Status = status },
    };

    /// <summary>A 200 with a web page.</summary>
    public static Fault Html() => Body("<!doctype html><html><body><h1>Sign in to the guest network</h1></body></html>", "text/html");

    /// <summary>A 200 that claims to be JSON and is noise.</summary>
    public static Fault Garbage() => Body("\u0001{]garbage\u0002", "application/json");

    /// <summary>A 200 whose JSON never seems to end.</summary>
    /// <param name="bytes">How long it is.</param>
    public static Fault Huge(long bytes) => new($"huge {bytes}")
    {
        Instead = _ => new EmulatorAnswer { Raw = [] },
        Writing = BodyWriting.HugeOf(bytes),
    };

    /// <summary>More is granted than was asked for. The token really has it, and the ledger says so.</summary>
    /// <param name="scope">The additional scopes, divided by spaces.</param>
    public static Fault WiderScope(string scope) => new("wider scope") { Wider = scope };

    /// <summary>Another <c>token_type</c>.</summary>
    /// <param name="type">Such as <c>N_A</c> or <c>mac</c>.</param>
    public static Fault TokenType(string type) => Field("token_type", JsonValue.Create(type).ToJsonString());

    /// <summary>Another <c>expires_in</c>. The ledger keeps the true end.</summary>
    /// <param name="json">The JSON value as text: <c>0</c>, <c>-1</c>, <c>"3600"</c> with quotes, <c>1e400</c>.</param>
    public static Fault ExpiresIn(string json) => Field("expires_in", json);

    /// <summary>One field of the answer is replaced or added.</summary>
    /// <param name="name">The field.</param>
    /// <param name="json">Its JSON value as text.</param>
    public static Fault Field(string name, string json) => new($"field {name}") { Change = answer => answer.RawFields[name] = json };

    /// <summary>One field of the answer is left out.</summary>
    /// <param name="name">The field.</param>
    public static Fault Without(string name) => new($"without {name}") { Change = answer => answer.Json?.Remove(name) };

    /// <summary>One header of the answer is set, such as <c>Date</c>.</summary>
    /// <param name="name">The header.</param>
    /// <param name="value">Its value.</param>
    public static Fault Header(string name, string value) => new($"header {name}") { Change = answer => answer.Headers[name] = value };

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    // Clients cut long descriptions: a JWT is quoted from its claim jti on, which has the canary in it.
    private static string Quoted(EmulatorRequest request, string field)
    {
        if (request.Form.One(field) is not { } value)
            return $"refused, without {field}";
        string[] parts = value.Split('.');
        if (parts.Length == 3 && Base64Url.IsValid(parts[1]))
        {
            int claim = Base64Url.DecodeFromChars(parts[1]).AsSpan().IndexOf("\"jti\""u8);
            value = value[(parts[0].Length + 1 + (Math.Max(claim, 0) / 3 * 4))..];
        }

        return $"refused {value} as it came";
    }

    private static EmulatorAnswer With(EmulatorAnswer answer, params ReadOnlySpan<(string Name, string Value)> headers)
    {
        foreach ((string name, string value) in headers)
            answer.Headers[name] = value;
        return answer;
    }
}
