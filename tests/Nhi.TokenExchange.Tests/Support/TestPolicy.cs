using Microsoft.Extensions.Primitives;

namespace Nhi.TokenExchange.Tests;

/// <summary>A policy whose answer and revision the test sets.</summary>
internal sealed class TestPolicy : IAccessPolicy
{
    private CancellationTokenSource _change = new();

    public string Revision { get; private set; } = "1";

    public Func<AccessRequest, AccessDecision> Decide { get; set; } = _ => AccessDecision.Permit("all");

    public Func<CancellationToken, Task>? Before { get; set; }

    public async ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken)
    {
        if (Before is not null)
            await Before(cancellationToken);
        return Decide(request);
    }

    public IChangeToken GetChangeToken() => new CancellationChangeToken(_change.Token);

    public void Change(string revision, Func<AccessRequest, AccessDecision> decide)
    {
        Revision = revision;
        Decide = decide;
        CancellationTokenSource old = _change;
        _change = new CancellationTokenSource();
        old.Cancel();
    }
}
