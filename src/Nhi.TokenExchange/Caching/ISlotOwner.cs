namespace Nhi.TokenExchange;

/// <summary>What a slot asks of the target it belongs to. Off the hit path.</summary>
internal interface ISlotOwner<T>
    where T : Credential
{
    AgreedClock Clock { get; }

    string Target { get; }

    long NextFlightNumber();

    /// <summary>Runs the flight on the pool and ends it by the slot's TryLand or Fail, whatever happens. Does not throw: the flight is in the slot already.</summary>
    void Start(ExpiringSlot<T> slot, Flight flight, CredentialRequest? request);

    /// <summary>A number from 0 up to but not including 1.</summary>
    double Jitter();

    TokenExchangeException JobEnded();

    TokenExchangeException Reentered();
}
