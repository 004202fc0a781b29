namespace Nhi.TokenExchange.Tests.Policy.Remote;

/// <summary>Makes requests, and policies that take them to an emulated decision point, without a job around.</summary>
internal static class Questions
{
    public static EmulatorEndpoint Endpoint(this Language language) => language == Language.AuthZen ? EmulatorEndpoint.AuthZenEvaluation : EmulatorEndpoint.OpaData;

    public static IAccessPolicy Policy(this Language language, EmulatedDecisionPoint point, Action<RemotePolicyOptions>? configure = null) =>
        language == Language.AuthZen ? AccessPolicies.AuthZen(point.Address, configure: configure) : AccessPolicies.Opa(point.Address, point.OpaPath, configure);

    public static AccessRequest Of(TimeProvider? time = null, bool isRefresh = false, string target = "warehouse", string subject = "job:orders", IReadOnlyDictionary<string, string>? claims = null, JobContext? job = null, JobFacts attested = JobFacts.None) => new()
    {
        Target = target,
        At = (time ?? TimeProvider.System).GetUtcNow(),
        Job = job ?? new JobContext { Pipeline = "orders-nightly", Run = "7", Dataset = "orders", Purpose = "load" },
        AttestedFacts = attested,
        TargetIssuer = "https://issuer.example/",
        SubjectIssuer = "https://platform.example",
        Subject = subject,
        Claims = claims ?? new Dictionary<string, string> { ["iss"] = "https://platform.example", ["sub"] = subject },
        Scopes = ScopeSet.Of("read", "write"),
        MaxLifetime = TimeSpan.FromHours(1),
        IsRefresh = isRefresh,
        Time = time,
    };

    public static async Task<AccessDecision> DecideAsync(this IAccessPolicy policy, AccessRequest request) => await policy.DecideAsync(request, CancellationToken.None);

    public static TokenExchangeException Failure(this IAccessPolicy policy, AccessRequest? request = null) =>
        Assert.ThrowsAsync<TokenExchangeException>(async () => await policy.DecideAsync(request ?? Of(), CancellationToken.None))!;
}
