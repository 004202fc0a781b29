using Microsoft.Extensions.Primitives;

namespace Nhi.TokenExchange.Soak;

/// <summary>Permits everything, but for the plan's times in which every third target is denied. Each change is a new revision, and is pushed.</summary>
internal sealed class SoakPolicy(SoakTime time, ChaosPlan plan, RecordFile changes) : IAccessPolicy
{
    private volatile Rules _rules = new("r0", IsDenying: false, new CancellationTokenSource());

    public string Revision => _rules.Revision;

    public static bool IsDenied(string target) => SoakTarget.All.Index().Single(one => one.Item.Name == target) is { Index: var index, Item.IsVault: false } && index % 3 == 0;

    public ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken) => new(_rules.IsDenying && IsDenied(request.Target)
        ? AccessDecision.Deny("closed-for-now", "The plan of the soak denies this target for a while.")
        : AccessDecision.Permit("open"));

    public IChangeToken GetChangeToken() => new CancellationChangeToken(_rules.Changed.Token);

    /// <summary>Changes the rules as the plan says.</summary>
    public async Task FollowPlanAsync(CancellationToken cancellationToken)
    {
        int revision = 0;
        foreach (Chaos window in plan.Windows.Where(window => window.Fault == ChaosFault.PolicyDenies))
        {
            await time.UntilAsync(window.At, cancellationToken);
            Change($"r{++revision}", isDenying: true);
            await time.UntilAsync(window.End, cancellationToken);
            Change($"r{++revision}", isDenying: false);
        }
    }

    private void Change(string revision, bool isDenying)
    {
        long changing = time.Elapsed.Ticks;
        CancellationTokenSource old = _rules.Changed;
        _rules = new Rules(revision, isDenying, new CancellationTokenSource());
        old.Cancel();   // pushes: when it returns, every running job has emptied its slots
        changes.Add(new PolicyRecord(changing, time.Elapsed.Ticks, revision, isDenying));
    }

    private sealed record Rules(string Revision, bool IsDenying, CancellationTokenSource Changed);
}
