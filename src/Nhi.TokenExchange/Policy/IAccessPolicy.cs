using Microsoft.Extensions.Primitives;

namespace Nhi.TokenExchange;

/// <summary>Decides at issue and at every refresh (NIST policy decision point).</summary>
public interface IAccessPolicy
{
    /// <summary>Names the rules in force; stands in every audit event. Read before a decision: rules that change while it is made must fire the change token, which discards what came of it.</summary>
    string Revision { get; }

    /// <summary>Decides one request. An exception counts as a refusal of this grant, never as a permit.</summary>
    /// <param name="request">Who asks for what.</param>
    /// <param name="cancellationToken">Cancelled at the flight's deadline or the job's end.</param>
    ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken);

    /// <summary>A token that fires when the rules change: slots are emptied, all that was granted before is ended, flights in the air land for nobody.</summary>
    IChangeToken GetChangeToken();
}
