using Microsoft.Extensions.Primitives;
using Nhi.TokenExchange;

namespace QuickStart;

/// <summary>A policy in a few lines: only the orders pipeline, only from the main branch. Keeps what it saw, to show it.</summary>
internal sealed class LookingPolicy : IAccessPolicy
{
    public string Revision => "quick-start-1";

    public string Seen { get; private set; } = "";

    public ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken)
    {
        Seen = $"{request.SubjectIssuer} says: I am {request.Subject}, run {request.Claims["run_id"]}, by {request.Claims["workflow_ref"]}";
        return new(request.Claims["ref"] == "refs/heads/main" && request.Job.Pipeline == "orders-nightly"
            ? AccessDecision.Permit("orders-from-main")
            : AccessDecision.Deny("orders-from-main", $"ref: expected 'refs/heads/main', presented '{request.Claims["ref"]}'"));
    }

    public IChangeToken GetChangeToken() => new CancellationChangeToken(CancellationToken.None);
}
