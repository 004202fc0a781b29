using Polly;
using Polly.CircuitBreaker;

namespace Nhi.TokenExchange;

/// <summary>Stops asking a decision point that does not answer, so that no target waits out a deadline for nothing. A clear no is an answer.</summary>
/// <remarks>Open: half of at least <see cref="LeastFailures"/> decisions of 30 seconds failed in passing. After <see cref="Pause"/> one question goes through; its answer closes the circuit.</remarks>
internal sealed class DecisionCircuit
{
    public const int LeastFailures = 4;

    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);

    private readonly CircuitBreakerStateProvider _state = new();
    private ResiliencePipeline<DecisionAnswer>? _pipeline;
    private long _openedAt;

    /// <summary>Whether the decision point is not asked, or was not when it was last needed.</summary>
    public bool IsOpen => _state.CircuitState != CircuitState.Closed;

    /// <summary>Asks, unless the circuit is open.</summary>
    /// <param name="rule">Whom, for the error.</param>
    /// <param name="call">The question. Its clock is the circuit's from the first one on.</param>
    /// <param name="ask">Asks.</param>
    /// <param name="cancellationToken">Gives up; counts as nothing.</param>
    /// <exception cref="TokenExchangeException">It could not decide, or was not asked (NHI3002).</exception>
    public async Task<DecisionAnswer> RunAsync(string rule, DecisionCall call, Func<DecisionCall, CancellationToken, Task<DecisionAnswer>> ask, CancellationToken cancellationToken)
    {
        ResiliencePipeline<DecisionAnswer> pipeline = LazyInitializer.EnsureInitialized(ref _pipeline, () => Make(call.Time));
        try
        {
            return await pipeline.ExecuteAsync(static async (asked, token) => await asked.ask(asked.call, token).ConfigureAwait(false), (ask, call), cancellationToken).ConfigureAwait(false);
        }
        catch (BrokenCircuitException)
        {
            TimeSpan left = Pause - call.Time.GetElapsedTime(_openedAt);
            throw DecisionFailure.NotAsked(rule, call, left > TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1));
        }
    }

    private ResiliencePipeline<DecisionAnswer> Make(TimeProvider time) =>
        new ResiliencePipelineBuilder<DecisionAnswer> { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<DecisionAnswer>
            {
                FailureRatio = 0.5,
                MinimumThroughput = LeastFailures,
                SamplingDuration = Window,
                BreakDuration = Pause,
                StateProvider = _state,
                ShouldHandle = arguments => new(arguments.Outcome.Exception is TokenExchangeException { IsTransient: true }),
                OnOpened = _ =>
                {
                    _openedAt = time.GetTimestamp();
                    return default;
                },
            })
            .Build();
}
