using System.Net;
using Azure.Core;

namespace Nhi.TokenExchange.Tests.Adapters;

/// <summary>A thousand callers at once, through each form: one exchange, and nobody held while a good credential is there.</summary>
[TestFixture(false)]
[TestFixture(true)]
internal sealed class AdapterStampedeTests(bool asTokenCredential)
{
    private const int Callers = 1000;

    [Test]
    public async Task Cold_they_cause_one_exchange()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        await StampedeAsync(job, Caller(job, wire));

        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task After_expiry_they_cause_one_exchange()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        Func<Task> call = Caller(job, wire);
        await call();
        job.Time.Advance(TimeSpan.FromHours(1));
        await StampedeAsync(job, call);

        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task With_the_refresh_due_they_cause_one_exchange_and_none_waits_for_it()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        Func<Task> call = Caller(job, wire);
        await call();
        job.Time.Advance(TimeSpan.FromMinutes(45));
        job.Issuer.Shut();

        // All of them come back while the issuer's gate is shut.
        await Task.WhenAll(Start(call));
        await job.Issuer.Reached;
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(2));
    }

    private static async Task StampedeAsync(LakeJob job, Func<Task> call)
    {
        job.Issuer.Shut();
        Task[] callers = Start(call);
        await job.Issuer.Reached;
        Assert.That(callers.Any(caller => caller.IsCompleted), Is.False);
        job.Issuer.Open();
        await Task.WhenAll(callers);
    }

    private static Task[] Start(Func<Task> call) => [.. Enumerable.Range(0, Callers).Select(_ => Task.Run(call))];

    private Func<Task> Caller(LakeJob job, Wire wire)
    {
        if (asTokenCredential)
        {
            TokenCredential credential = job.Lake.AsTokenCredential();
            return () => credential.GetTokenAsync(new TokenRequestContext([LakeJob.Scope]), default).AsTask();
        }
        var client = new TestClient(TestClient.On(wire).AddCredential(job.Lake), sync: false);
        return () => client.SendAsync();
    }
}
