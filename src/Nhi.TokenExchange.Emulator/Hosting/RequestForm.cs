using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Nhi.TokenExchange;

/// <summary>The parameters of a form request, read by the rules of RFC 6749 §3.2.</summary>
internal sealed class RequestForm
{
    public static readonly RequestForm None = new([]);

    // RFC 8693 §2.1 and RFC 8707 §2: these two alone may come more than once.
    private static readonly string[] Repeatable = ["audience", "resource"];

    private static readonly string[] KeyFields = ["client_id", "grant_type", "scope", "audience", "resource", "requested_token_type", "identity_federation_client_id", "authorization_details"];

    private readonly Dictionary<string, StringValues> _fields;

    private RequestForm(Dictionary<string, StringValues> fields) => _fields = fields;

    public bool IsForm { get; private init; }

    /// <summary>What the form asks for, without the proof: two requests with the same key want the same credential.</summary>
    public string Key => string.Join('\n', from name in KeyFields
                                          select $"{name}={string.Join(',', All(name).Order(StringComparer.Ordinal))}");

    public static async ValueTask<RequestForm> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType)
            return None;
        IFormCollection form = await request.ReadFormAsync(cancellationToken).ConfigureAwait(false);
        return new RequestForm(form.ToDictionary(field => field.Key, field => field.Value, StringComparer.Ordinal)) { IsForm = true };
    }

    /// <summary>The single value; null when absent. RFC 6749 §3.2: a parameter without a value counts as left out.</summary>
    public string? One(string name) => _fields.TryGetValue(name, out StringValues values) && values is [{ Length: > 0 } value] ? value : null;

    public string Need(string name) => One(name) ?? throw OAuthRefusal.InvalidRequest("parameter_missing", $"the parameter {name} is missing");

    public IReadOnlyList<string> All(string name) =>
        _fields.TryGetValue(name, out StringValues values) ? [.. values.Where(value => !string.IsNullOrEmpty(value)).Select(value => value!)] : [];

    // RFC 6749 §3.2: request parameters must not be included more than once.
    public void RefuseRepeated()
    {
        foreach ((string name, StringValues values) in _fields)
        {
            if (values.Count > 1 && !Repeatable.Contains(name))
                throw OAuthRefusal.InvalidRequest("parameter_repeated", $"the parameter {name} came {values.Count} times; once is allowed");
        }
    }
}
