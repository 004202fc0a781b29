namespace Nhi.TokenExchange;

/// <summary>A gate for one request: it is not answered until the test says so.</summary>
public sealed class HeldRequest
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal HeldRequest(HoldPoint point) => Point = point;

    /// <summary>Ends when the request stands at the gate.</summary>
    public Task Reached => _reached.Task;

    internal HoldPoint Point { get; }

    /// <summary>Lets the request go on. Safe to call before it came and more than once.</summary>
    public void Release() => _released.TrySetResult();

    /// <summary>Stands at the gate; ends also when the caller hangs up.</summary>
    internal Task StandAsync(CancellationToken cancellationToken)
    {
        _reached.TrySetResult();
        return _released.Task.WaitAsync(cancellationToken);
    }
}
