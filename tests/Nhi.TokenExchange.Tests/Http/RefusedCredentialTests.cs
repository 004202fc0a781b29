using System.Net;

namespace Nhi.TokenExchange.Tests.Http;

/// <summary>A target that refuses every credential costs its issuer an exchange now and then, not one a request.</summary>
public class RefusedCredentialTests
{
    private const string Address = "https://issuer.test/rows";

    [Test]
    public async Task Exchanges_are_seconds_apart_and_growing_when_every_new_credential_is_refused([Values] bool synchronously)
    {
        using Wire wire = Wire.Always(HttpStatusCode.Unauthorized);
        await using TestJob job = await TestJob.StartAsync();
        using var client = new HttpClient(job.Session.CreateHandler("warehouse", wire));
        var exchanges = new List<int>();

        // Ten requests a second, for 100 seconds.
        for (int tenth = 0; tenth < 1000; tenth++)
        {
            await TryAsync(client, synchronously);
            if (tenth is 0 or 99 or 999)
                exchanges.Add(job.Issuer.Requests.Count);
            job.Time.Advance(TimeSpan.FromMilliseconds(100));
        }

        // The first request is repeated once; then, without jitter, 0.5, 1, 2, 4 … 30 seconds.
        Assert.That(exchanges, Is.EqualTo([2, 6, 10]).Within(1));
    }

    [Test]
    public async Task The_caller_gets_the_targets_answer_and_in_between_an_error_that_says_when()
    {
        using Wire wire = Wire.Always(HttpStatusCode.Unauthorized, "no");
        await using TestJob job = await TestJob.StartAsync();
        using var client = new HttpClient(job.Session.CreateHandler("warehouse", wire));

        using HttpResponseMessage first = await client.GetAsync(new Uri(Address));
        using HttpResponseMessage second = await client.GetAsync(new Uri(Address));
        TokenExchangeException third = Assert.ThrowsAsync<TokenExchangeException>(() => client.GetAsync(new Uri(Address)))!;

        Assert.That((first.StatusCode, second.StatusCode), Is.EqualTo((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized)));
        Assert.That(await second.Content.ReadAsStringAsync(), Is.EqualTo("no"));
        Assert.That((third.Code, third.IsTransient, third.RetryAfter, third.Target), Is.EqualTo(("NHI8004", true, TimeSpan.FromSeconds(0.5), "warehouse")));
        Assert.That(wire.Tokens, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task A_credential_that_was_good_for_a_while_is_replaced_at_once()
    {
        await using TestJob job = await TestJob.StartAsync();
        for (int i = 0; i < 5; i++)
        {
            BearerToken token = await job.Warehouse.GetAsync();
            job.Time.Advance(TimeSpan.FromSeconds(61));
            job.Warehouse.Reject(token);
        }

        await job.Warehouse.GetAsync();

        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(6));
    }

    [Test]
    public async Task A_late_refusal_of_an_old_one_does_not_count()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();
        job.Warehouse.Reject(old);
        BearerToken current = await job.Warehouse.GetAsync();
        for (int i = 0; i < 10; i++)
            job.Warehouse.Reject(old);

        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(current));
    }

    [Test]
    public async Task A_failure_after_a_refusal_waits_as_a_first_one()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Warehouse.Reject(await job.Warehouse.GetAsync());
        job.Issuer.Answer = _ => throw new TokenExchangeException(ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, "down") { IsTransient = true };

        TokenExchangeException failed = Assert.ThrowsAsync<TokenExchangeException>(() => job.Warehouse.GetAsync().AsTask())!;

        Assert.That((failed.Code, failed.RetryAfter), Is.EqualTo(("NHI4002", TimeSpan.FromSeconds(0.5))));
    }

    [Test]
    public async Task An_exchange_that_fails_because_the_hop_before_was_refused_backs_off_as_any_failure()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Answer = _ => throw new TokenExchangeException(ErrorCodes.CredentialRefused, ExchangeStage.Exchange, "of the hop") { IsTransient = true });
        var waits = new List<TimeSpan?>();
        for (int i = 0; i < 3; i++)
        {
            waits.Add(Assert.ThrowsAsync<TokenExchangeException>(() => job.Warehouse.GetAsync().AsTask())!.RetryAfter);
            job.Time.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.That(waits, Is.EqualTo([TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)]));
    }

    private static async Task TryAsync(HttpClient client, bool synchronously)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Address);
        try
        {
            using HttpResponseMessage response = synchronously ? client.Send(request) : await client.SendAsync(request);
        }
        catch (TokenExchangeException refused) when (refused.Code == "NHI8004")
        {
            // not yet again
        }
    }
}
