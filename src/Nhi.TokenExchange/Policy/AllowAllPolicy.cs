using Microsoft.Extensions.Primitives;

namespace Nhi.TokenExchange;

/// <summary>Permits what the configuration declares: the policy of a session that was given none. Its decisions are audited all the same.</summary>
internal sealed class AllowAllPolicy : IAccessPolicy
{
    private static readonly AccessDecision Permitted = AccessDecision.Permit("allow-all");

    public string Revision => "allow-all";

    public ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken) => new(Permitted);

    public IChangeToken GetChangeToken() => NeverChanges.Token;

    private sealed class NeverChanges : IChangeToken, IDisposable
    {
        public static readonly NeverChanges Token = new();

        public bool HasChanged => false;

        public bool ActiveChangeCallbacks => false;

        public IDisposable RegisterChangeCallback(Action<object?> callback, object? state) => this;

        public void Dispose()
        {
        }
    }
}
