using Microsoft.AspNetCore.Http;

namespace Nhi.TokenExchange;

/// <summary>One request on its way through the emulator: what came, and what the fault plan wants of the endpoint.</summary>
internal sealed class EmulatorRequest(EmulatorEndpoint endpoint, HttpContext http, RequestForm form, string requestId, DateTimeOffset at)
{
    public EmulatorEndpoint Endpoint => endpoint;

    public HttpContext Http => http;

    public RequestForm Form => form;

    public string RequestId => requestId;

    /// <summary>When it came, on the emulator's clock.</summary>
    public DateTimeOffset At => at;

    public string Path => http.Request.Path.Value ?? "";

    /// <summary>Scopes that the fault plan wants granted beyond what was asked; really granted, so that the ledger tells the truth.</summary>
    public string? WiderScope { get; set; }

    /// <summary>A header's value; null when it is absent or empty.</summary>
    public string? Header(string name) => http.Request.Headers[name] is [{ Length: > 0 } value] ? value : null;

    /// <summary>A value of the address's query; null when it is absent, empty or repeated.</summary>
    public string? Query(string name) => http.Request.Query[name] is [{ Length: > 0 } value] ? value : null;

    public string Authorization => http.Request.Headers.Authorization.ToString();

    /// <summary>The bearer token of the Authorization header; null when there is none (RFC 6750 §2.1).</summary>
    public string? Bearer => Authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? Authorization["Bearer ".Length..].Trim() : null;
}
