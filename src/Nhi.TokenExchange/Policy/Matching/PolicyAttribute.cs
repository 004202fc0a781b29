namespace Nhi.TokenExchange;

/// <summary>One thing that a rule can look at: its name in documents and reasons, and where a request has it. What is empty is absent.</summary>
internal sealed class PolicyAttribute
{
    public const string Target = "target";
    public const string Subject = "subject";
    public const string SubjectIssuer = "issuer";

    private readonly Func<AccessRequest, string?> _valueOf;

    private PolicyAttribute(string name, Func<AccessRequest, string?> valueOf)
    {
        Name = name;
        _valueOf = valueOf;
    }

    /// <summary>What stands directly under <c>when</c>.</summary>
    public static IReadOnlyList<PolicyAttribute> OfRequest { get; } =
    [
        new(Target, request => request.Target),
        new("targetIssuer", request => request.TargetIssuer),
        new(SubjectIssuer, request => request.SubjectIssuer),
        new(Subject, request => request.Subject),
        new("actorIssuer", request => request.ActorIssuer),
        new("actorSubject", request => request.ActorSubject),
        new("tenant", request => request.Tenant),
        new("caller", request => request.Caller?.Name),
    ];

    /// <summary>What stands under <c>when.job</c>.</summary>
    public static IReadOnlyList<PolicyAttribute> OfJob { get; } =
    [
        new("job.pipeline", request => request.Job.Pipeline),
        new("job.run", request => request.Job.Run),
        new("job.task", request => request.Job.Task),
        new("job.dataset", request => request.Job.Dataset),
        new("job.purpose", request => request.Job.Purpose),
        new("job.environment", request => request.Job.Environment),
    ];

    public string Name { get; }

    /// <summary>A claim of the proof, by its name or path.</summary>
    public static PolicyAttribute Claim(string name) => new($"claims.{name}", request => request.Claims.TryGetValue(name, out string? value) ? value : null);

    public string? ValueIn(AccessRequest request) => _valueOf(request) is { Length: > 0 } value ? value : null;
}
