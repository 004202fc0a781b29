namespace Nhi.TokenExchange;

/// <summary>One exchange in the air. Belongs to no caller: who stops waiting leaves it to the others.</summary>
/// <param name="number">Its number within the session.</param>
/// <param name="held">What it took off to replace, good at that moment; null: there is nothing.</param>
/// <param name="after">What failed before it, for the count of tries.</param>
/// <param name="aim">What it may do about what is held.</param>
internal sealed class Flight(long number, Credential? held, FlightFailure? after = null, FlightAim aim = FlightAim.RenewOrReplace)
{
    private static readonly AsyncLocal<Flight?> InThisFlow = new();

    private readonly TaskCompletionSource<FlightFailure?> _landed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // What code that runs inside this flight waits for now: the newest first, those that are over among them.
    private Wait? _waits;

    public long Number => number;

    public Credential? Held => held;

    public bool IsRefresh => held is not null;

    public FlightFailure? After => after;

    public FlightAim Aim => aim;

    /// <summary>The program that it is for; null: the job itself.</summary>
    public CredentialCaller? Caller { get; set; }

    /// <summary>Null: look at the slot again. Else: what failed.</summary>
    public Task<FlightFailure?> Landed => _landed.Task;

    /// <summary>The ending of an exchange that nobody waits for any more; completes also if that fails.</summary>
    public Task LeftBehind { get; set; } = Task.CompletedTask;

    /// <summary>The journal's entry of its exchange, until the credential is written down; null where there is no journal.</summary>
    public JournalEntry? Entry { get; set; }

    /// <summary>Wakes those who wait.</summary>
    public void Complete(FlightFailure? failure) => _landed.TrySetResult(failure);

    /// <summary>Marks the flow of the caller as part of this flight.</summary>
    public void Enter() => InThisFlow.Value = this;

    /// <summary>Notes that the caller's flow will wait for this flight.</summary>
    /// <returns>Null if the wait would close a ring (this flight waits, perhaps over others, for the one that the caller runs in) and never end.</returns>
    /// <remarks>Who begins to wait writes its edge (a full fence) and then walks: of two that close a ring together at least one sees it.</remarks>
    public Wait? BeginWait()
    {
        if (InThisFlow.Value is not { } waiter)
            return Wait.OfNobody;
        var wait = new Wait(this);
        Wait? head;
        do
        {
            head = Volatile.Read(ref waiter._waits);
            wait.Next = head is { IsOver: true } ? head.Next : head;
        }
        while (!ReferenceEquals(Interlocked.CompareExchange(ref waiter._waits, wait, head), head));
        if (!WaitsFor(waiter, []))
            return wait;
        wait.Dispose();
        return null;
    }

    private bool WaitsFor(Flight other, HashSet<Flight> seen)
    {
        if (ReferenceEquals(this, other))
            return true;
        if (Landed.IsCompleted || !seen.Add(this))
            return false;
        for (Wait? wait = Volatile.Read(ref _waits); wait is not null; wait = wait.Next)
        {
            if (!wait.IsOver && wait.For!.WaitsFor(other, seen))
                return true;
        }
        return false;
    }

    /// <summary>One edge of who waits for whom, until disposed.</summary>
    internal sealed class Wait(Flight? flight) : IDisposable
    {
        /// <summary>The wait of a flow that is no part of a flight: nobody can wait for it.</summary>
        public static readonly Wait OfNobody = new(null);

        private bool _isOver;

        public Flight? For => flight;

        public Wait? Next { get; set; }

        public bool IsOver => Volatile.Read(ref _isOver);

        public void Dispose() => Volatile.Write(ref _isOver, true);
    }
}
