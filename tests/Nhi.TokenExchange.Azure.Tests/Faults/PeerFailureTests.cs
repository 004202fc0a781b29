using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Azure.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Nhi.TokenExchange.Tests.Adapters;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Rows of docs/faults.md that need the Azure package. P1, P32 to P35 and P42 to P44 are with the units that they are about.</summary>
[NonParallelizable]
internal sealed class PeerFailureTests
{
    [Test]
    public async Task P3_No_adapter_keeps_a_token_beyond_what_the_provider_gives()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using Adapters.Wire policyWire = Adapters.Wire.Always(HttpStatusCode.OK);
        using Adapters.Wire handlerWire = Adapters.Wire.Always(HttpStatusCode.OK);
        var client = new TestClient(TestClient.On(policyWire).AddCredential(job.Lake), sync: false);
        TokenCredential credential = job.Lake.AsTokenCredential();
        using var http = new HttpClient(job.Session.CreateHandler("lake", handlerWire));

        for (int minute = 0; minute < 180; minute++)
        {
            BearerToken before = await job.Lake.GetAsync();
            await client.SendAsync();
            AccessToken byCredential = await credential.GetTokenAsync(new TokenRequestContext([LakeJob.Scope]), default);
            using HttpResponseMessage response = await http.GetAsync(new Uri($"{LakeJob.Origin}/orders"));
            BearerToken after = await job.Lake.GetAsync();
            Assert.That(new[] { policyWire.Tokens[^1], byCredential.Token, handlerWire.Tokens[^1] }, Is.All.AnyOf(before.Reveal(), after.Reveal()), $"minute {minute}");
            Assert.That(before.UnusableFrom, Is.GreaterThan(job.Time.GetUtcNow()));
            if (before.RefreshAt <= job.Time.GetUtcNow())
                await Eventually.HoldsAsync(async () => !ReferenceEquals(await job.Lake.GetAsync(), before), $"minute {minute}: the landing of the refresh, before the clock moves on");
            job.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(5), "one each 40 minutes, for all of them");
    }

    [Test]
    public async Task P36_A_proxy_of_the_environment_sees_no_request_for_metadata()
    {
        var asked = new ConcurrentQueue<string>();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using WebApplication host = builder.Build();
        host.MapGet("/token", (HttpContext http) =>
        {
            asked.Enqueue(http.Request.Path);
            return Results.Text(ManagedIdentitySourceTests.Answer(), "application/json");
        });
        await host.StartAsync();
        using HostVariables variables = HostVariables.Of(new Dictionary<string, string> { ["IDENTITY_ENDPOINT"] = $"{host.Urls.Single()}/token", ["IDENTITY_HEADER"] = "header-1" });
        using var proxy = new TcpListener(IPAddress.Loopback, 0);
        proxy.Start();
        IWebProxy before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new WebProxy($"http://127.0.0.1:{((IPEndPoint)proxy.LocalEndpoint).Port}");
        try
        {
            SubjectToken token = await new ManagedIdentitySource(AzureManagedIdentityId.SystemAssigned, MetadataWire.Sockets())
                .GetSubjectTokenAsync(new SubjectTokenRequest { Audience = new Audience("api://AzureADTokenExchange"), Backchannel = new Wire().Backchannel, Time = new SkippingTime() }, default);
            Assert.That(token.Reveal(), Is.EqualTo(Proofs.Token()));
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }

        Assert.That((asked.Count, proxy.Pending()), Is.EqualTo((1, false)));
    }
}
