using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.Versioning;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Trace;

namespace Nhi.TokenExchange.Tests.DependencyInjection;

/// <summary>OpenTelemetry listens from its own hosted service's start on, which is after the session was made: the anchor of the chain's beginning is in the trace all the same.</summary>
[NonParallelizable]
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class HostedAnchorTests : AuditTrailFixture
{
    private readonly Services _services = new();

    [Test]
    public async Task A_hosted_jobs_first_anchor_is_in_the_trace_once_the_host_has_started([Values] bool openTelemetryFirst)
    {
        var exported = new List<Activity>();
        using IHost host = _services.Host(services =>
        {
            if (openTelemetryFirst)
                services.AddOpenTelemetry().WithTracing(trace => trace.AddSource("Nhi.TokenExchange").AddInMemoryExporter(exported));
            services.AddTokenExchange(builder =>
            {
                _services.Compose(builder);
                builder.AuditFolder(Folder);
            });
            if (!openTelemetryFirst)
                services.AddOpenTelemetry().WithTracing(trace => trace.AddSource("Nhi.TokenExchange").AddInMemoryExporter(exported));
        }, compose: false);

        await host.StartAsync();

        string[] said = [.. exported.Where(activity => activity.OperationName == "nhi.audit.anchor").Select(activity => (string)activity.GetTagItem("nhi.audit.anchor")!)];
        AuditTrail trail = AuditTrail.Verify(Folder, said);
        Assert.That((trail.IsIntact, trail.Chains.Single().AnchoredTo), Is.EqualTo((true, 1)), "that of the beginning");
        await host.StopAsync();
    }
}
