using Azure.Core;
using Azure.Core.Diagnostics;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging;
using Microsoft.Identity.Client;

namespace Nhi.TokenExchange.Tests;

/// <summary>DESIGN 5.2 in Azure: nothing of a token in our logs, MSAL's at their most verbose, Azure.Core's events, exceptions, traces, metrics or on the console.</summary>
[NonParallelizable]
internal sealed class CanaryTests
{
    private static IEnumerable<TestCaseData> Faults() =>
        from fault in new (string Name, EmulatorEndpoint At, Fault? Fault)[]
        {
            ("none", EmulatorEndpoint.EntraToken, null),
            ("refused", EmulatorEndpoint.EntraToken, Fault.Entra(700213)),
            ("throttled", EmulatorEndpoint.EntraToken, Fault.Entra(90055, 429, ("Retry-After", "30"))),
            ("echoed in the description", EmulatorEndpoint.EntraToken, Fault.Echo("client_assertion", 70021)),
            ("HTML", EmulatorEndpoint.EntraToken, Fault.Html()),
            ("cut", EmulatorEndpoint.EntraToken, Fault.Truncate(60)),
            ("no token", EmulatorEndpoint.EntraToken, Fault.Without("access_token")),
            ("other type", EmulatorEndpoint.EntraToken, Fault.TokenType("mac")),
            ("metadata in HTML", EmulatorEndpoint.ManagedIdentityToken, Fault.Html()),
            ("metadata cut", EmulatorEndpoint.ManagedIdentityToken, Fault.Truncate(60)),
            ("metadata without an end", EmulatorEndpoint.ManagedIdentityToken, Fault.Without("expires_on")),
            ("resource challenges for claims", EmulatorEndpoint.AzureResource, null),
        }
        select new TestCaseData(fault.At, fault.Fault).SetArgDisplayNames(fault.Name);

    [TestCaseSource(nameof(Faults))]
    public async Task A_whole_job_says_nothing_of_its_tokens(EmulatorEndpoint at, Fault? fault)
    {
        using var all = new Overheard();
        int ofMsal = 0;
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = o.EntraAlgorithm = "ES256");
        using HostVariables variables = HostVariables.Of(emulator.ManagedIdentity.EnvironmentOf(ManagedIdentityHost.AppService));
        using var azure = new AzureEventSourceListener((_, text) => all.Hear((object)text), System.Diagnostics.Tracing.EventLevel.Verbose);
        if (fault is not null)
            emulator.Faults.Always(at, fault);
        else if (at == EmulatorEndpoint.AzureResource)
            emulator.AzureResource.RequireClaims("""{"access_token":{"nbf":{"essential":true,"value":"1767225600"}}}""");

        await RunAsync(emulator, all, (_, text, _) =>
        {
            ofMsal++;
            all.Hear((object)text);
        });

        Assert.That(ofMsal, Is.GreaterThan(10), "MSAL said something");
        Assert.That(all.Count, Is.GreaterThan(20), "something was said");
        string said = all.Text;
        foreach (string canary in new[] { emulator.Canaries.Proof, emulator.Canaries.Entra, emulator.Canaries.ManagedIdentity })
            Assert.That(Canary.FindIn(said, canary), Is.Empty, said);
    }

    private static async Task RunAsync(IdentityEmulator emulator, Overheard all, LogCallback log)
    {
        JobIdentity github = emulator.JobIdentity(ProofShape.GitHub);
        EntraApplication application = emulator.Entra.AddApplication().Trust(github);
        using ILoggerFactory logging = LoggerFactory.Create(b => b.SetMinimumLevel(Microsoft.Extensions.Logging.LogLevel.Trace).AddProvider(all));
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(github.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Identity("machine", new ManagedIdentitySource(AzureManagedIdentityId.SystemAssigned, configure: msal => msal.WithLogging(log, Microsoft.Identity.Client.LogLevel.Verbose, enablePiiLogging: true)))
            .Target("lake", Targets.Entra(emulator.Entra.TenantId, application.ClientId, o =>
            {
                o.AuthorityHost = emulator.Entra.Authority;
                o.ConfigureMsal = msal => msal.WithLogging(log, Microsoft.Identity.Client.LogLevel.Verbose, enablePiiLogging: true);
            }), target => Allow(target, "job", emulator, $"{emulator.AzureResource.Resource}/.default"))
            .Target("direct", Targets.ManagedIdentity(emulator.AzureResource.Resource), target => Allow(target, "machine", emulator))
            .TrustRoots([emulator.Certificate]).Logging(logging).EndOnSignals(false));
        all.Hear(job);
        foreach (string target in new[] { "lake", "direct" })
        {
            CredentialProvider<BearerToken> provider = job.Provider<BearerToken>(target);
            TokenCredential credential = provider.AsTokenCredential(target == "direct" ? [$"{emulator.AzureResource.Resource}/.default"] : []);
            all.Hear(provider);
            all.Hear(credential);
            await TryAsync(all, async () => all.Hear(await provider.GetAsync()));
            BlobClientOptions Options() => new() { Transport = new HttpClientTransport(emulator.CreateHandler()), Retry = { MaxRetries = 0 }, Audience = new Azure.Storage.Blobs.Models.BlobAudience(emulator.AzureResource.Resource), Diagnostics = { IsLoggingContentEnabled = true } };
            var container = new Uri(emulator.AzureResource.Address, "orders");
            await TryAsync(all, async () => all.Hear(await new BlobContainerClient(container, Options().AddCredential(provider)).CreateIfNotExistsAsync()));
            await TryAsync(all, async () => all.Hear(await new BlobContainerClient(container, credential, Options()).CreateIfNotExistsAsync()));
        }
        all.Hear(await job.CompleteAsync());
    }

    private static void Allow(TargetOptions target, string identity, IdentityEmulator emulator, params string[] scopes)
    {
        target.Identity = identity;
        target.Scopes = ScopeSet.Of(scopes);
        target.AllowedOrigins.Add(new Uri(emulator.AzureResource.Address, "/"));
    }

    private static async Task TryAsync(Overheard all, Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (Exception exception) when (exception is TokenExchangeException or Azure.RequestFailedException)
        {
            all.Hear(exception);
        }
    }
}
