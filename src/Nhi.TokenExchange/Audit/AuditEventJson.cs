using System.Globalization;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Writes an audit event as one OCSF object: <see cref="OcsfEvent"/>, and under <c>unmapped</c> all of it by our names. <see cref="AuditEventReading"/> reads it.</summary>
/// <remarks>The same event gives the same bytes. What is null, false, empty or zero is left out. Nothing of it is longer than <see cref="LongestEvent"/>.</remarks>
internal static class AuditEventJson
{
    /// <summary>No event of ours has more bytes, however hostile its texts are.</summary>
    public const int LongestEvent = 2 * 1024 * 1024;

    /// <summary>Writes an event as a value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Its kind is none.</exception>
    public static void Write(Utf8JsonWriter json, AuditEvent auditEvent)
    {
        json.WriteStartObject();
        OcsfEvent.Write(json, auditEvent);
        json.WriteStartObject("unmapped");
        WriteOurs(json, auditEvent);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Writes what stands under <c>unmapped</c>, into an object that was begun.</summary>
    public static void WriteOurs(Utf8JsonWriter json, AuditEvent auditEvent)
    {
        json.WriteString("kind", auditEvent.Kind.ToString());
        Instant("at", auditEvent.At);
        json.WriteString("elapsed", Span(auditEvent.Elapsed));
        Id("session", auditEvent.SessionId);
        if (auditEvent.ProcessId is { } process)
            json.WriteNumber("process", process);
        Text("host", auditEvent.Host);
        Id("flight", auditEvent.FlightId);
        Text("target", auditEvent.Target.Length == 0 ? null : auditEvent.Target);
        WriteJob(json, auditEvent);
        Text("issuer", auditEvent.Issuer);
        Text("subjectIssuer", auditEvent.SubjectIssuer);
        Text("subject", auditEvent.Subject);
        Text("through", auditEvent.Through);
        Text("audience", auditEvent.Audience);
        Text("subjectFingerprint", auditEvent.SubjectFingerprint);
        WriteClaims(json, auditEvent.SubjectClaims);
        Flag("workloadIsAsserted", auditEvent.WorkloadIsAsserted);
        Flag("isAPersons", auditEvent.IsAPersons);
        Flag("isPlatformIssued", auditEvent.IsPlatformIssued);
        if (auditEvent.Exposure is { } exposure)
            Write(json, exposure);
        if (auditEvent.StaticKey is { } key)
            Write(json, key);
        Text("actorIssuer", auditEvent.ActorIssuer);
        Text("actorSubject", auditEvent.ActorSubject);
        Text("actorFingerprint", auditEvent.ActorFingerprint);
        Text("tenant", auditEvent.Tenant);
        if (auditEvent.Caller is { } caller)
            Write(json, caller);
        List("scopesRequested", auditEvent.RequestedScopes.Values);
        List("resourcesRequested", auditEvent.RequestedResources);
        OcsfEvent.WriteText(json, "authorizationDetailsRequested", auditEvent.RequestedAuthorizationDetails, AuditText.LongestProse);
        List("scopesAsked", IsGranted(auditEvent.Kind) ? auditEvent.AskedScopes.Values : auditEvent.Scopes.Values);
        List("scopesGranted", IsGranted(auditEvent.Kind) ? auditEvent.Scopes.Values : []);
        List("resources", auditEvent.Resources);
        OcsfEvent.WriteText(json, "authorizationDetails", auditEvent.AuthorizationDetails, AuditText.LongestProse);
        Text("rule", auditEvent.Rule);
        Text("policyRevision", auditEvent.PolicyRevision);
        Flag("isObserved", auditEvent.IsObserved);
        Text("fingerprint", auditEvent.Fingerprint);
        Text("revocationHandle", auditEvent.RevocationHandle);
        Instant("unusableFrom", auditEvent.UnusableFrom);
        Instant("diesAt", auditEvent.DiesAt);
        Text("maxLifetime", auditEvent.MaxLifetime is { } longest ? Span(longest) : null);
        Text("code", auditEvent.Code);
        OcsfEvent.WriteText(json, "reason", auditEvent.Reason, AuditText.LongestProse);
        Text("correlationId", auditEvent.CorrelationId);

        void Text(string name, string? text) => OcsfEvent.WriteText(json, name, text);

        void Instant(string name, DateTimeOffset? instant) => Text(name, instant is { } known ? Utc(known) : null);

        void Id(string name, Guid id)
        {
            if (id != Guid.Empty)
                json.WriteString(name, id);
        }

        void Flag(string name, bool isSo)
        {
            if (isSo)
                json.WriteBoolean(name, true);
        }

        void List(string name, IReadOnlyList<string> list)
        {
            if (list.Count == 0)
                return;
            json.WriteStartArray(name);
            foreach (JsonEncodedText element in AuditText.Encode(list))
                json.WriteStringValue(element);
            json.WriteEndArray();
        }
    }

    /// <summary>Whether the scopes of an event are granted ones.</summary>
    public static bool IsGranted(AuditEventKind kind) => kind is AuditEventKind.Issued or AuditEventKind.Refreshed or AuditEventKind.Renewed;

    private static string Utc(DateTimeOffset instant) => instant.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    private static string Span(TimeSpan span) => span.ToString("c", CultureInfo.InvariantCulture);

    private static void WriteJob(Utf8JsonWriter json, AuditEvent auditEvent)
    {
        json.WriteStartObject("job");
        foreach ((string name, string value, string origin) in auditEvent.Job.Facts)
        {
            json.WriteStartObject(JsonNamingPolicy.CamelCase.ConvertName(name));
            json.WriteString("value", AuditText.Encode(value));
            json.WriteString("origin", AuditText.Encode(origin));
            json.WriteBoolean("attested", Enum.TryParse(name, out JobFacts fact) && auditEvent.AttestedFacts.HasFlag(fact));
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteClaims(Utf8JsonWriter json, IReadOnlyDictionary<string, string> claims)
    {
        if (claims.Count == 0)
            return;
        json.WriteStartObject("subjectClaims");
        foreach ((string name, string value) in claims.OrderBy(claim => claim.Key, StringComparer.Ordinal).Take(AuditText.MostClaims))
            json.WriteString(AuditText.Encode(name, AuditText.LongestClaimName), AuditText.Encode(value, AuditText.LongestElement));
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, CredentialExposure exposure)
    {
        json.WriteStartObject("exposure");
        Answer("reusableAfterJob", exposure.ReusableAfterJob);
        Answer("visibleToOperators", exposure.VisibleToOperators);
        Answer("tiedToHuman", exposure.TiedToHuman);
        json.WriteEndObject();

        void Answer(string question, ExposureAnswer answer)
        {
            json.WriteStartObject(question);
            json.WriteBoolean("answer", answer.IsYes);
            json.WriteString("reason", AuditText.Encode(answer.Reason));
            json.WriteEndObject();
        }
    }

    private static void Write(Utf8JsonWriter json, CredentialCaller caller)
    {
        json.WriteStartObject("caller");
        json.WriteString("id", AuditText.Encode(caller.Id));
        json.WriteString("name", AuditText.Encode(caller.Name));
        if (caller.ProcessId is { } process)
            json.WriteNumber("process", process);
        if (caller.UserId is { } user)
            json.WriteNumber("user", user);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, StaticKeyUse key)
    {
        json.WriteStartObject("staticKey");
        json.WriteString("owner", AuditText.Encode(key.Owner));
        json.WriteString("until", Utc(key.Until));
        json.WriteString("secret", AuditText.Encode(key.Secret));
        OcsfEvent.WriteText(json, "version", key.Version);
        json.WriteEndObject();
    }
}
