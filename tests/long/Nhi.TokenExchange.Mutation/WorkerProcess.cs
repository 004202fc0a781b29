using System.Diagnostics;
using System.Globalization;

namespace Nhi.TokenExchange.Mutation;

/// <summary>A <see cref="Worker"/>, seen from outside. One that does not come back is killed, and the next question starts another.</summary>
internal sealed class WorkerProcess : IDisposable
{
    // What a mutant leaves running in the background goes with its process.
    private const int MostOrders = 60;

    private Process? _process;
    private int _orders;

    /// <summary>Tries a mutant.</summary>
    /// <param name="mutant">Its number.</param>
    /// <param name="fromStart">Whether it has to be there when the process starts, for what runs once a process.</param>
    /// <param name="tests">The tests that may notice it.</param>
    /// <param name="limit">How long they may take together.</param>
    /// <returns>Which test noticed it; empty: none; null: they did not end in time, or the process is gone.</returns>
    public async Task<string?> TryAsync(int mutant, bool fromStart, IEnumerable<string> tests, TimeSpan limit)
    {
        if (fromStart || _orders >= MostOrders)
            Stop();
        using var late = new CancellationTokenSource(limit);
        try
        {
            if (_process is null)
                await StartAsync(fromStart ? mutant : null, late.Token);
            _orders++;
            await _process!.StandardInput.WriteLineAsync($"{mutant} {string.Join(' ', tests)}");
            await _process.StandardInput.FlushAsync(late.Token);
            string? answer = await _process.StandardOutput.ReadLineAsync(late.Token);
            if (answer is null or Worker.Spoilt || fromStart)
                Stop();
            return answer;
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            Stop();
            return null;
        }
    }

    public void Dispose() => Stop();

    private async Task StartAsync(int? mutant, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["work"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[Worker.FromStart] = mutant?.ToString(CultureInfo.InvariantCulture);
        _orders = 0;
        _process = Process.Start(start)!;
        _process.BeginErrorReadLine();   // read, so that it does not wait for a reader
        if (await _process.StandardOutput.ReadLineAsync(cancellationToken) is null)
            throw mutant is null ? new InvalidOperationException("A worker does not start, though nothing is changed.") : new IOException("It does not start with this mutant.");
    }

    private void Stop()
    {
        if (_process is null)
            return;
        _process.Kill(entireProcessTree: true);
        _process.Dispose();
        _process = null;
    }
}
