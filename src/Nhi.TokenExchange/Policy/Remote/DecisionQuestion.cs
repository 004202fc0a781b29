using System.Buffers;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>The question as JSON: an AuthZEN evaluation request (§5: subject, action, resource, context), which is OPA's <c>input</c> too. Claims go out, a token never does.</summary>
/// <remarks>
/// Job and scopes stand twice: where the standard has them (<c>context</c>, <c>action</c>), and with subject and resource, because some decision points give their rules nothing else. The time is not sent: a decision point
/// has a clock of its own, and ours is only the job's word. The same request makes the same bytes, by which decisions are remembered.
/// </remarks>
internal static class DecisionQuestion
{
    /// <summary>Writes the question.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="claims">The names of the claims that may leave.</param>
    /// <param name="isRefresh">Whether a credential is being replaced.</param>
    public static byte[] Of(AccessRequest request, IReadOnlyList<string> claims, bool isRefresh)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            WriteSubject(json, request, claims);
            json.WriteStartObject("action");
            json.WriteString("name", "exchange");
            json.WriteStartObject("properties");
            WriteWish(json, request, isRefresh);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartObject("resource");
            json.WriteString("type", "target");
            json.WriteString("id", request.Target);
            json.WriteStartObject("properties");
            json.WriteString("issuer", request.TargetIssuer);
            WriteWish(json, request, isRefresh);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartObject("context");
            WriteJob(json, request);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteSubject(Utf8JsonWriter json, AccessRequest request, IReadOnlyList<string> claims)
    {
        json.WriteStartObject("subject");
        json.WriteString("type", "workload");
        json.WriteString("id", IdOf(request));
        json.WriteStartObject("properties");
        json.WriteString("issuer", request.SubjectIssuer);
        json.WriteString("subject", request.Subject);
        json.WriteBoolean("is_person", request.IsAPersons);
        json.WriteStartObject("claims");
        foreach (string name in claims.Distinct(StringComparer.Ordinal))
        {
            if (request.Claims.TryGetValue(name, out string? value))
                json.WriteString(name, value);
        }
        json.WriteEndObject();
        if (request.ActorSubject is not null)
        {
            json.WriteStartObject("actor");
            json.WriteString("issuer", request.ActorIssuer);
            json.WriteString("subject", request.ActorSubject);
            json.WriteEndObject();
        }
        WriteJob(json, request);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // An issuer is a URI, which has no such stroke (RFC 3986 §2): the first one ends it. A proof that says neither is opaque.
    private static string IdOf(AccessRequest request) => request.SubjectIssuer.Length == 0 && request.Subject.Length == 0 ? "opaque" : $"{request.SubjectIssuer}|{request.Subject}";

    private static void WriteWish(Utf8JsonWriter json, AccessRequest request, bool isRefresh)
    {
        json.WriteStartArray("scopes");
        foreach (string scope in request.Scopes.Values)
            json.WriteStringValue(scope);
        json.WriteEndArray();
        if (request.Resources.Count > 0)
        {
            json.WriteStartArray("resources");
            foreach (string name in request.Resources)
                json.WriteStringValue(name);
            json.WriteEndArray();
        }
        if (request.AuthorizationDetails is { } details)
        {
            json.WritePropertyName("authorization_details");
            json.WriteRawValue(details);
        }
        json.WriteNumber("max_lifetime_seconds", (long)request.MaxLifetime.TotalSeconds);
        json.WriteBoolean("is_refresh", isRefresh);
        json.WriteBoolean("answers_claims_challenge", request.AnswersClaimsChallenge);
        json.WriteBoolean("is_platform_issued", request.IsPlatformIssued);
        json.WriteBoolean("is_reusable_after_job", request.Exposure.ReusableAfterJob.IsYes);
        json.WriteBoolean("is_visible_to_operators", request.Exposure.VisibleToOperators.IsYes);
        json.WriteBoolean("is_tied_to_human", request.Exposure.TiedToHuman.IsYes);
        if (request.Tenant is not null)
            json.WriteString("tenant", request.Tenant);
        if (request.Caller is { } caller)
        {
            json.WriteStartObject("caller");   // without its id and process, which differ each time: what is remembered is remembered for the program
            json.WriteString("name", caller.Name);
            if (caller.UserId is { } user)
                json.WriteNumber("user", user);
            json.WriteEndObject();
        }
        if (request.StaticKey is not { } key)
            return;
        json.WriteStartObject("static_key");
        json.WriteString("owner", key.Owner);
        json.WriteString("until", key.Until);
        json.WriteString("secret", key.Secret);
        json.WriteEndObject();
    }

    private static void WriteJob(Utf8JsonWriter json, AccessRequest request)
    {
        json.WriteStartObject("job");
        foreach ((string name, string value, _) in request.Job.Facts)
            json.WriteString(NameOf(name), value);
        json.WriteStartArray("attested");
        foreach (JobFacts fact in Enum.GetValues<JobFacts>())
        {
            if (fact != JobFacts.None && request.AttestedFacts.HasFlag(fact))
                json.WriteStringValue(NameOf(fact.ToString()));
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string NameOf(string fact) => fact.ToLowerInvariant();
}
