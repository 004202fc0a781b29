using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Worker;

/// <summary>Reads the rows of both APIs a number of times, looks at the health of the targets, and ends the host.</summary>
internal sealed partial class NightlyLoad(
    Warehouse warehouse, Workspace workspace, HealthCheckService health, IConfiguration settings, IHostApplicationLifetime host, ILogger<NightlyLoad> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Environment.ExitCode = 1;   // until all is done: an exception here stops the host, and by itself leaves 0
        using var timer = new PeriodicTimer(settings.Pause());
        int left = settings.Times();
        do
        {
            Log.Read(logger, await warehouse.ReadAsync("orders", stoppingToken), await workspace.ReadAsync("orders", stoppingToken));
        }
        while (--left > 0 && await timer.WaitForNextTickAsync(stoppingToken));

        HealthReport report = await health.CheckHealthAsync(stoppingToken);
        Log.Healthy(logger, report.Status, report.Entries.Count);
        Environment.ExitCode = report.Status == HealthStatus.Healthy ? 0 : 1;
        host.StopApplication();   // now the session ends, and every credential with it
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "Read {Warehouse} rows of the warehouse, {Workspace} of the workspace")]
        public static partial void Read(ILogger logger, int warehouse, int workspace);

        [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "Health: {Status}, {Targets} targets")]
        public static partial void Healthy(ILogger logger, HealthStatus status, int targets);
    }
}
