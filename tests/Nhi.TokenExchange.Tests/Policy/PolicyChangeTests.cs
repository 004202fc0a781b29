using System.Globalization;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>A policy that changes while callers get and refresh: what was decided before a change is ended, once, and what was decided after it lives on.</summary>
internal sealed class PolicyChangeTests
{
    private const int Changes = 30;
    private const int Callers = 4;

    [Test]
    public async Task Whatever_was_decided_before_a_change_is_ended_once_and_nothing_that_was_decided_after_it()
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Life = TimeSpan.FromDays(30));
        CredentialRequest[] keys = [new() { Scopes = ScopeSet.Of("read") }, new() { Scopes = ScopeSet.Of("write") }];
        using var done = new CancellationTokenSource();
        Task[] callers = [.. Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallAsync(caller)))];

        for (int change = 1; change <= Changes; change++)
        {
            await GetAllAsync();
            job.Time.Advance(TimeSpan.FromMinutes(45));   // each is refreshed, by whoever comes first
            await GetAllAsync();
            if (change % 2 == 0)
                await job.QuietAsync();   // else the refreshes are in the air
            BearerToken[] before = [.. job.Issuer.Issued];
            job.Policy.Change(change.ToString(CultureInfo.InvariantCulture), _ => AccessDecision.Permit("all"));
            await Eventually.HoldsAsync(() => before.All(job.Issuer.Revoked.Contains), $"the end of what was decided before change {change}");
        }
        await done.CancelAsync();
        await Task.WhenAll(callers);
        await job.QuietAsync();
        BearerToken[] last = await GetAllAsync();
        await job.QuietAsync();
        Assert.That(last.Where(job.Issuer.Revoked.Contains), Is.Empty, "decided after the last change");

        await job.Session.CompleteAsync();

        Assert.That(job.Issuer.Revoked, Is.Unique.And.EquivalentTo(job.Issuer.Issued));

        async Task<BearerToken[]> GetAllAsync() => [await job.Warehouse.GetAsync(), await job.Warehouse.GetAsync(keys[0]), await job.Warehouse.GetAsync(keys[1])];

        async Task CallAsync(int caller)
        {
            for (int call = caller; !done.IsCancellationRequested; call++)
            {
                _ = call % 3 is var key && key < 2 ? await job.Warehouse.GetAsync(keys[key]) : await job.Warehouse.GetAsync();
                await Task.Yield();
            }
        }
    }
}
