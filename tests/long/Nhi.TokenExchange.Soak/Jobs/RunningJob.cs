using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Soak;

/// <summary>The session of a virtual job, its own or its host's, and each way in which it ends.</summary>
internal sealed class RunningJob : IAsyncDisposable
{
    // What ends by itself has ended long before, on any machine that runs.
    private static readonly TimeSpan EndsBefore = TimeSpan.FromMinutes(1);

    private readonly IHost? _host;
    private readonly string _switch;

    private RunningJob(JobSession session, IHost? host, string killSwitch) => (Session, _host, _switch) = (session, host, killSwitch);

    public JobSession Session { get; }

    public static async Task<RunningJob> StartAsync(JobComposition composition, string run, JobEnd end, TimeSpan life)
    {
        if (end != JobEnd.HostStopped)
            return new RunningJob(await JobSession.StartAsync(b => composition.Compose(b, run, end == JobEnd.MaxDuration ? life : null)), null, composition.SwitchOf(run));
        HostApplicationBuilder builder = new(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.ClearProviders();
        builder.Services.AddTokenExchange(b => composition.Compose(b, run, null));
        IHost host = builder.Build();
        await host.StartAsync();
        return new RunningJob(host.Services.GetRequiredService<JobSession>(), host, composition.SwitchOf(run));
    }

    /// <summary>Lets it end.</summary>
    /// <returns>The report, which is the same whoever asks for it.</returns>
    public async Task<JobReport> EndAsync(JobEnd end)
    {
        switch (end)
        {
            case JobEnd.Disposed:
                await Session.DisposeAsync();
                break;
            case JobEnd.HostStopped:
                await _host!.StopAsync();
                break;
            case JobEnd.Cancelled:
                Task waiting = Session.CompleteAsync(new CancellationToken(canceled: true));
                await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                break;
            case JobEnd.Revoked:
                return await Session.RevokeAsync("the soak revokes it");
            case JobEnd.KillSwitch:
                await File.WriteAllTextAsync(_switch, "the soak throws it");
                await EndedAsync();
                break;
            case JobEnd.MaxDuration:
                await EndedAsync();
                break;
        }

        return await Session.CompleteAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Session.DisposeAsync();
        _host?.Dispose();
        File.Delete(_switch);
    }

    private async Task EndedAsync()
    {
        try
        {
            await Task.Delay(EndsBefore, TimeProvider.System, Session.Ended);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        throw new InvalidOperationException($"{Session.Context} was not ended by what had to end it.");
    }
}
