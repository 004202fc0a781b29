using Microsoft.Extensions.Primitives;
using Nhi.TokenExchange;

namespace QuickStart;

/// <summary>A policy in a few lines: only the orders pipeline, only from the namespace of the jobs. Keeps what it saw, to show it.</summary>
internal sealed class LookingPolicy : IAccessPolicy
{
    public string Revision => "quick-start-1";

    public AccessRequest? Seen { get; private set; }

    public ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken)
    {
        Seen = request;
        string presented = request.Claims["kubernetes.io/namespace"];
        return new(presented == "jobs" && request.Job.Pipeline == "orders-nightly"
            ? AccessDecision.Permit("orders-from-jobs")
            : AccessDecision.Deny("orders-from-jobs", $"namespace: expected 'jobs', presented '{presented}'"));
    }

    public IChangeToken GetChangeToken() => new CancellationChangeToken(CancellationToken.None);
}
