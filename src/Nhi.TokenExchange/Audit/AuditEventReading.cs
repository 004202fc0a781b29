using System.Globalization;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Reads what <see cref="AuditEventJson"/> writes. A member that is not known is left out, so that a newer version may add some; one of another type, or without which there is no event, makes it unreadable.</summary>
internal static class AuditEventReading
{
    // Nothing of ours is as long; and whoever reckons with it stays within what an instant can be.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(36_525);

    private const int LongestKind = 40;

    /// <exception cref="FormatException">It is none of ours; the text says what is wrong, to follow upon "the event".</exception>
    public static AuditEvent Read(JsonElement json)
    {
        JsonElement ours = Object(json, "unmapped") ?? throw new FormatException("has no 'unmapped'");
        string name = Required(ours, "kind");
        if (!IsKnown(name, out AuditEventKind kind))
            throw new FormatException($"is of a kind that is not known, '{AuditText.Shown(name, 40)}'");
        (JobContext job, JobFacts attested) = Job(ours);
        ScopeSet asked = Scopes(ours, "scopesAsked");
        var read = new AuditEvent
        {
            Kind = kind,
            At = Instant(ours, "at") ?? throw new FormatException("has no 'at'"),
            Elapsed = Span(ours, "elapsed") ?? throw new FormatException("has no 'elapsed'"),
            SessionId = Id(ours, "session"),
            ProcessId = (int?)Number(ours, "process", int.MaxValue),
            Host = Text(ours, "host"),
            FlightId = Id(ours, "flight"),
            Target = Text(ours, "target") ?? "",
            Job = job,
            AttestedFacts = attested,
            Issuer = Text(ours, "issuer"),
            SubjectIssuer = Text(ours, "subjectIssuer"),
            Subject = Text(ours, "subject"),
            Through = Text(ours, "through"),
            Audience = Text(ours, "audience"),
            SubjectFingerprint = Text(ours, "subjectFingerprint"),
            SubjectClaims = Claims(ours),
            WorkloadIsAsserted = Flag(ours, "workloadIsAsserted"),
            IsAPersons = Flag(ours, "isAPersons"),
            IsPlatformIssued = Flag(ours, "isPlatformIssued"),
            Exposure = Object(ours, "exposure") is { } exposure
                ? new CredentialExposure(Answer(exposure, "reusableAfterJob"), Answer(exposure, "visibleToOperators"), Answer(exposure, "tiedToHuman")) : null,
            StaticKey = Object(ours, "staticKey") is { } key ? Key(key) : null,
            ActorIssuer = Text(ours, "actorIssuer"),
            ActorSubject = Text(ours, "actorSubject"),
            ActorFingerprint = Text(ours, "actorFingerprint"),
            Tenant = Text(ours, "tenant"),
            Caller = Object(ours, "caller") is { } caller ? Caller(caller) : null,
            Scopes = AuditEventJson.IsGranted(kind) ? Scopes(ours, "scopesGranted") : asked,
            AskedScopes = AuditEventJson.IsGranted(kind) ? asked : ScopeSet.Empty,
            RequestedScopes = Scopes(ours, "scopesRequested"),
            RequestedResources = List(ours, "resourcesRequested"),
            RequestedAuthorizationDetails = Text(ours, "authorizationDetailsRequested"),
            Resources = List(ours, "resources"),
            AuthorizationDetails = Text(ours, "authorizationDetails"),
            Rule = Text(ours, "rule"),
            PolicyRevision = Text(ours, "policyRevision"),
            IsObserved = Flag(ours, "isObserved"),
            Fingerprint = Text(ours, "fingerprint"),
            RevocationHandle = Text(ours, "revocationHandle"),
            UnusableFrom = Instant(ours, "unusableFrom"),
            DiesAt = Instant(ours, "diesAt"),
            MaxLifetime = Span(ours, "maxLifetime"),
            Code = Text(ours, "code"),
            Reason = Text(ours, "reason"),
            CorrelationId = Text(ours, "correlationId"),
        };
        // What a collector sorts by must say what the event says.
        if (!json.TryGetProperty("type_uid", out JsonElement type) || !type.TryGetInt32(out int uid) || uid != OcsfClass.Of(read).TypeUid)
            throw new FormatException($"has another 'type_uid' than an event of kind {kind}");
        return read;
    }

    /// <summary>Reads the event of a line.</summary>
    /// <returns>Null: it is of a kind that a later version added.</returns>
    /// <exception cref="FormatException">It is none of ours; the text follows upon the line's place.</exception>
    public static AuditEvent? ReadIfKnown(JsonElement json)
    {
        try
        {
            return IsOfLaterVersion(json) ? null : Read(json);
        }
        catch (FormatException flaw)
        {
            throw new FormatException($"has an event that {flaw.Message}");
        }
        catch (ArgumentException flaw)   // one line must not keep the others from being told
        {
            throw new FormatException("has an event with a text that none of ours has", flaw);
        }
    }

    /// <summary>Whether an event is of a kind that a later version may have added.</summary>
    private static bool IsOfLaterVersion(JsonElement json) =>
        Object(json, "unmapped") is { } ours && Text(ours, "kind") is { Length: > 0 and <= LongestKind } name && name.All(char.IsAsciiLetter) && !IsKnown(name, out _);

    // Enum.TryParse takes numbers, too, and several names at once.
    private static bool IsKnown(string name, out AuditEventKind kind) => Enum.TryParse(name, out kind) && kind.ToString() == name;

    private static (JobContext Job, JobFacts Attested) Job(JsonElement ours)
    {
        var said = new Dictionary<string, (string Value, string Origin)>(StringComparer.Ordinal);
        JobFacts attested = JobFacts.None;
        foreach (string name in JobContext.FactNames)
        {
            if (Object(Object(ours, "job") ?? throw new FormatException("has no 'job'"), JsonNamingPolicy.CamelCase.ConvertName(name)) is not { } fact)
                continue;
            said.Add(name, (Required(fact, "value"), Required(fact, "origin")));
            if (Flag(fact, "attested"))
                attested |= Enum.TryParse(name, out JobFacts known) ? known : throw new FormatException($"says that a proof attests the job's {name}, which none does");
        }
        return (said.Count == 0 ? JobContext.Unnamed : JobContext.Of(said)!, attested);
    }

    private static Dictionary<string, string> Claims(JsonElement ours) =>
        Object(ours, "subjectClaims") is not { } claims ? []
        : claims.EnumerateObject().ToDictionary(claim => claim.Name, claim => claim.Value.ValueKind == JsonValueKind.String ? claim.Value.GetString()! : throw NotA(claim.Name, "a text"), StringComparer.Ordinal);

    private static ExposureAnswer Answer(JsonElement exposure, string question)
    {
        JsonElement answer = Object(exposure, question) ?? throw new FormatException($"has no '{question}'");
        string reason = Required(answer, "reason");
        if (reason.Length == 0)
            throw new FormatException($"has a '{question}' without a reason");
        return Flag(answer, "answer") ? ExposureAnswer.Yes(reason) : ExposureAnswer.No(reason);
    }

    private static CredentialCaller Caller(JsonElement caller)
    {
        return new(Named("id"), Named("name"), (int?)Number(caller, "process", int.MaxValue), Number(caller, "user", uint.MaxValue));

        string Named(string name) => Required(caller, name) is { Length: > 0 } text ? text : throw new FormatException($"has a 'caller' with an empty '{name}'");
    }

    private static StaticKeyUse Key(JsonElement key) => new()
    {
        Owner = Required(key, "owner"), Until = Instant(key, "until") ?? throw new FormatException("has a static key without 'until'"), Secret = Required(key, "secret"), Version = Text(key, "version"),
    };

    private static JsonElement? Object(JsonElement owner, string name) =>
        Member(owner, name, JsonValueKind.Object, "an object");

    private static string Required(JsonElement owner, string name) => Text(owner, name) ?? throw new FormatException($"has no '{name}'");

    private static string? Text(JsonElement owner, string name) => Member(owner, name, JsonValueKind.String, "a text")?.GetString();

    private static bool Flag(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out JsonElement flag) && (flag.ValueKind is JsonValueKind.True or JsonValueKind.False ? flag.GetBoolean() : throw NotA(name, "true or false"));

    private static long? Number(JsonElement owner, string name, long most) =>
        Member(owner, name, JsonValueKind.Number, "a number") is not { } value ? null : value.TryGetInt64(out long number) && number >= 0 && number <= most ? number : throw NotA(name, "a number in its range");

    private static Guid Id(JsonElement owner, string name) =>
        Text(owner, name) is not { } text ? Guid.Empty : Guid.TryParseExact(text, "D", out Guid id) ? id : throw NotA(name, "an id");

    private static DateTimeOffset? Instant(JsonElement owner, string name) =>
        Text(owner, name) is not { } text ? null
        : DateTimeOffset.TryParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset instant) && instant >= DateTimeOffset.UnixEpoch ? instant : throw NotA(name, "an instant");

    private static TimeSpan? Span(JsonElement owner, string name) =>
        Text(owner, name) is not { } text ? null : TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out TimeSpan span) && span >= TimeSpan.Zero && span < Longest ? span : throw NotA(name, "a length of time");

    private static IReadOnlyList<string> List(JsonElement owner, string name)
    {
        if (Member(owner, name, JsonValueKind.Array, "a list") is not { } list)
            return [];
        return [.. list.EnumerateArray().Select(one => one.ValueKind == JsonValueKind.String ? one.GetString()! : throw NotA(name, "a list of texts"))];
    }

    private static ScopeSet Scopes(JsonElement owner, string name)
    {
        try
        {
            return ScopeSet.Of([.. List(owner, name)]);
        }
        catch (ArgumentException)
        {
            throw NotA(name, "a list of scopes");
        }
    }

    private static JsonElement? Member(JsonElement owner, string name, JsonValueKind kind, string what) =>
        !owner.TryGetProperty(name, out JsonElement value) ? null : value.ValueKind == kind ? value : throw NotA(name, what);

    private static FormatException NotA(string name, string what) => new($"has a '{name}' that is not {what}");
}
