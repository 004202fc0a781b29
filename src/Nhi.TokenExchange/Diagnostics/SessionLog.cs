using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>Says to the log what must hold up nothing, behind what was said before: a log may block who calls it.</summary>
/// <remarks>A line of the session's own code goes from <see cref="UnwaitedLogger"/> to here, waits in <see cref="InTurn"/>, and is said on its thread to a <see cref="QuietLogger"/> around the caller's log. Events of the audit go through the same <see cref="InTurn"/>, to the caller's log itself, whose failures they have to hear of.</remarks>
/// <param name="logger">The log.</param>
/// <param name="turns">Calls it, and is what the audit's own lines go through, too.</param>
/// <param name="time">The session's clock.</param>
/// <param name="job">Whose lines are lost.</param>
/// <param name="meter">Counts those.</param>
internal sealed class SessionLog(ILogger logger, InTurn turns, TimeProvider time, JobContext job, ExchangeMeter meter)
{
    private readonly Tally _lost = new();

    /// <summary>Says it, and waits a moment at most. Where too much waits for the log already, it is lost: counted, and said when the log takes lines again.</summary>
    public void SayLater(Action<ILogger> say) => Added(say).Forget();

    /// <summary>Says it, and waits until it is said: for two seconds at most.</summary>
    public Task SayAsync(Action<ILogger> say) => BoundedAsync(Added(say));

    /// <summary>Waits until all is said: for two seconds at most. Where too much waits for that, not at all.</summary>
    public async Task SaidAsync()
    {
        try
        {
            await BoundedAsync(turns.Add(SayWhatIsLost)).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It hangs, or is far behind.
        }
    }

    private async Task BoundedAsync(Task saying)
    {
        try
        {
            await saying.WaitAsync(JobAudit.Deadline, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It is said when the log takes lines again.
        }
    }

    /// <summary>The session is over, and has no more to say: its thread waits for nothing.</summary>
    public void SayNoMore() => Quietly.Do(() => turns.Add(SayWhatIsLost, isLast: true).Forget());

    private Task Added(Action<ILogger> say)
    {
        try
        {
            return turns.Add(() => Quietly.Do(() =>
            {
                SayWhatIsLost();
                say(logger);
            }));
        }
        catch (IOException)   // as much waits as may
        {
            _lost.Add();
            Quietly.Do(() => meter.LogDropped.Add(1));
            return Task.CompletedTask;
        }
    }

    private void SayWhatIsLost()
    {
        if (_lost.Take() is > 0 and var lost)
            logger.LinesLost(job, lost);
    }
}
