namespace Nhi.TokenExchange.Tests;

/// <summary>What libraries that keep a copy are told: when ours is given out no more, and when its successor is due.</summary>
internal sealed class CredentialInstantsTests
{
    [Test]
    public async Task An_hour_is_refreshed_twenty_minutes_before_it_is_unusable_and_that_is_a_margin_before_its_end()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken token = await job.Warehouse.GetAsync();

        Assert.That(token.ExpiresAt - token.UnusableFrom, Is.EqualTo(TimeSpan.FromSeconds(10)));
        Assert.That(token.UnusableFrom - token.RefreshAt, Is.EqualTo(TimeSpan.FromMinutes(20)));

        job.Time.Advance(token.RefreshAt - job.Time.GetUtcNow() - TimeSpan.FromSeconds(1));
        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(token));
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(1));
        job.Time.Advance(TimeSpan.FromSeconds(2));
        await job.Warehouse.GetAsync();
        await Eventually.HoldsAsync(() => job.Issuer.Requests.Count > 1, "the request of the refresh");
    }

    [Test]
    public async Task They_follow_the_longest_life_of_the_target_and_what_the_issuer_wants()
    {
        await using TestJob job = await TestJob.StartAsync(
            i => i.Answer = _ => new Issued<BearerToken>(i.NewToken(TimeSpan.FromHours(24))) { RefreshAt = new DateTimeOffset(2026, 1, 1, 0, 5, 0, TimeSpan.Zero) },
            t => t.MaxLifetime = TimeSpan.FromMinutes(30));
        DateTimeOffset start = job.Time.GetUtcNow();
        BearerToken token = await job.Warehouse.GetAsync();

        Assert.That(token.UnusableFrom - start, Is.EqualTo(TimeSpan.FromMinutes(30)));
        Assert.That(token.RefreshAt - start, Is.EqualTo(TimeSpan.FromMinutes(5)));
    }

    [Test]
    public void A_credential_that_no_job_gave_has_its_end_for_both()
    {
        var token = new BearerToken("canary", new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.That((token.UnusableFrom, token.RefreshAt), Is.EqualTo((token.ExpiresAt, token.ExpiresAt)));
    }
}
