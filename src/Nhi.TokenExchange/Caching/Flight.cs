namespace Nhi.TokenExchange;

/// <summary>One exchange in the air. Belongs to no caller: who stops waiting leaves it to the others.</summary>
internal sealed class Flight(long number, bool isRefresh)
{
    private static readonly AsyncLocal<Flight?> InThisFlow = new();

    private readonly TaskCompletionSource<FlightFailure?> _landed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Flight? _parent = InThisFlow.Value;

    public long Number { get; } = number;

    public bool IsRefresh { get; } = isRefresh;

    /// <summary>Null: look at the slot again. Else: what failed.</summary>
    public Task<FlightFailure?> Landed => _landed.Task;

    /// <summary>Wakes those who wait.</summary>
    public void Complete(FlightFailure? failure) => _landed.TrySetResult(failure);

    /// <summary>Marks the flow of the caller as part of this flight.</summary>
    public void Enter() => InThisFlow.Value = this;

    /// <summary>Whether the caller runs inside this flight, so that waiting for it would never end.</summary>
    public bool ContainsThisFlow()
    {
        for (Flight? flight = InThisFlow.Value; flight is not null; flight = flight._parent)
        {
            if (ReferenceEquals(flight, this))
                return true;
        }
        return false;
    }
}
