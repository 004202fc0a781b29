using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Nhi.TokenExchange;

/// <summary>The provider of a target: the hit path is here and in the slot, nowhere else.</summary>
internal sealed class SlotProvider<T>(TargetRuntime<T> runtime) : CredentialProvider<T>(runtime.Target)
    where T : Credential
{
    private readonly ExpiringSlot<T> _slot = runtime.Slot;

    /// <summary>Whether an exchange is in the air for callers without special wishes.</summary>
    internal bool HasFlight => _slot.State.Flight is not null;

    public override ScopeSet Scopes => runtime.Plan.Scopes;

    public override IReadOnlyList<Uri> AllowedOrigins => runtime.Plan.Origins;

    // Where the JIT guesses the receiver, the whole hit is inlined into its caller.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public override ValueTask<T> GetAsync(CancellationToken cancellationToken = default) =>
        _slot.TryGet(out T? credential) ? new ValueTask<T>(credential) : new ValueTask<T>(MissAsync(cancellationToken));

    public override ValueTask<T> GetAsync(CredentialRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Tenant is not null && string.Equals(request.Tenant, runtime.Plan.Exchanger.Tenant, StringComparison.OrdinalIgnoreCase))
            request = new CredentialRequest { Scopes = request.Scopes, Claims = request.Claims, Caller = request.Caller };   // said or unsaid, the target's tenant is one key
        if (request.Tenant is null && request.Claims is null && request.Caller is null && (request.Scopes is null || request.Scopes == Scopes))
            return GetAsync(cancellationToken);
        // No scope at all would be all that the issuer gives: wider, not narrower.
        if (request.Scopes is { } scopes && (!scopes.IsSubsetOf(Scopes) || (scopes.IsEmpty && !Scopes.IsEmpty)))
        {
            return ValueTask.FromException<T>(new TokenExchangeException(
                ErrorCodes.ScopeOutsideTarget, ExchangeStage.Authorize, $"Scopes '{scopes}' were asked for; the target has '{Scopes}'.")
            {
                Target = Target, Hint = "Ask for a subset, or add the scope to the target.",
            });
        }
        if (request.Scopes is not null && request.Scopes == Scopes)
            request = new CredentialRequest { Tenant = request.Tenant, Claims = request.Claims, Caller = request.Caller };   // said or unsaid, the target's scopes are one key
        return runtime.Varying.GetAsync(request, cancellationToken);
    }

    // Kept out of the hit, and a Task: a ValueTask from a call would force the hit's own one into memory. Costs a miss 72 bytes.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Task<T> MissAsync(CancellationToken cancellationToken) => _slot.GetAsync(null, cancellationToken).AsTask();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public override bool TryGet([NotNullWhen(true)] out T? credential) => _slot.TryGet(out credential);

    public override void Reject(T credential)
    {
        ArgumentNullException.ThrowIfNull(credential);
        runtime.Reject(credential);
    }
}
