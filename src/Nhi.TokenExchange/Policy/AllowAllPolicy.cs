using Microsoft.Extensions.Primitives;

namespace Nhi.TokenExchange;

/// <summary>Permits what the configuration declares: the policy of a session that was given none. Its decisions are audited all the same.</summary>
internal sealed class AllowAllPolicy : IAccessPolicy, IExposurePolicy
{
    private static readonly AccessDecision Permitted = AccessDecision.Permit("allow-all");

    public string Revision => "allow-all";

    public bool LooksAtExposure => false;

    public ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken) => new(Permitted);

    public IChangeToken GetChangeToken() => NeverChanges.Token;
}
