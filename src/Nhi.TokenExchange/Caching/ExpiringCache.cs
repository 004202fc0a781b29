namespace Nhi.TokenExchange;

/// <summary>Slots for callers whose scopes, tenant or claims vary.</summary>
#pragma warning disable CA1822
internal sealed class ExpiringCache<T>(ISlotOwner<T> owner)
    where T : Credential
{
    private readonly ISlotOwner<T> _owner = owner;

    public ValueTask<T> GetAsync(CredentialRequest request, CancellationToken cancellationToken) => new ExpiringSlot<T>(_owner).GetAsync(request, cancellationToken);

    public bool Reject(T credential) => false;

    public IReadOnlyList<Credential> Invalidate() => [];

    public void End()
    {
    }
}
