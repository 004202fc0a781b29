using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace Nhi.TokenExchange;

/// <summary>Repeats a call by a resilience pipeline. Made at the first transient failure and not before.</summary>
internal sealed class TransientRetries
{
    private const int MostRepeats = 4;

    private static readonly ResiliencePropertyKey<Tries> TriesKey = new("Nhi.TokenExchange.Tries");

    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;

    public TransientRetries(TimeProvider time, Func<double> jitter) =>
        _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddRetry(new HttpRetryStrategyOptions
            {
                MaxRetryAttempts = MostRepeats,
                ShouldRetryAfterHeader = false,   // ours also knows the deadline
                Randomizer = jitter,
                ShouldHandle = arguments => new(Of(arguments.Context).IsAnotherWorthIt(arguments.Outcome.Result, arguments.Outcome.Exception, arguments.AttemptNumber)),
                DelayGenerator = arguments => new(Of(arguments.Context).Wait),
            })
            .Build();

    /// <summary>Goes on from a first try that failed in passing.</summary>
    /// <returns>The first answer that is not worth another try, or the last one.</returns>
    /// <exception cref="TokenExchangeException">The wait for another try was ended, or the last one failed.</exception>
    public async Task<HttpResponseMessage> GoOnAsync(Tries tries, CancellationToken cancellationToken)
    {
        using CancellationTokenSource waits = tries.BeginWaits(cancellationToken);
        ResilienceContext context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: false, waits.Token);
        try
        {
            context.Properties.Set(TriesKey, tries);
            return await _pipeline.ExecuteAsync(static (_, tries) => tries.NextAsync(), context, tries).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (tries.IsFirstUntold && !cancellationToken.IsCancellationRequested)   // no waits were wanted any more when the first answer came
        {
            return await tries.NextAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (tries.Last is not null && !cancellationToken.IsCancellationRequested)   // a wait was ended
        {
            throw tries.Last;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static Tries Of(ResilienceContext context) =>
        context.Properties.TryGetValue(TriesKey, out Tries? tries) ? tries : throw new InvalidOperationException("The call has no tries.");
}
