namespace Nhi.TokenExchange;

/// <summary>What a permit for sender-constrained credentials alone comes to: no exchanger binds what it gives to a key (RFC 8705, RFC 9449), so nothing is asked of the issuer that would be refused afterwards.</summary>
internal static class SenderConstraint
{
    public static AccessDecision Applied(AccessDecision decision, AccessRequest asked, TokenExchanger exchanger) =>
        decision is { IsPermitted: true, SenderConstrained: true }
            ? decision.Denied($"senderConstrained expected a credential that is bound to a key of this process, presented a {exchanger.CredentialType.Name}, which works for whoever holds it", decision.DenyHoldsUntil(asked.At))
            : decision;
}
