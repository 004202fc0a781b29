namespace Nhi.TokenExchange;

/// <summary>Policies that somebody else decides, for <see cref="TokenExchangeBuilder.Policy"/>.</summary>
public static class AccessPolicies
{
    /// <summary>A decision point that speaks the OpenID AuthZEN Authorization API 1.0, asked at each issue and each refresh. Claims go there, never a token; it is not told who asks, so put what authenticates callers before it on loopback.</summary>
    /// <param name="decisionPoint">Its identifier: https, no query, exactly as its metadata names itself. Loopback may be http.</param>
    /// <param name="evaluationEndpoint">Where it is asked. Null: its metadata says so (<c>/.well-known/authzen-configuration</c>), and it is on the decision point's own host.</param>
    /// <param name="configure">Changes the deadline and the claims.</param>
    /// <exception cref="ArgumentException">An address may not be asked, or an option is out of its range.</exception>
    public static IAccessPolicy AuthZen(Uri decisionPoint, Uri? evaluationEndpoint = null, Action<RemotePolicyOptions>? configure = null)
    {
        OptionChecks.Issuer(decisionPoint, nameof(decisionPoint));
        OptionChecks.Endpoint(evaluationEndpoint, nameof(evaluationEndpoint));
        return new RemotePolicy(new AuthZenPoint(decisionPoint, evaluationEndpoint), RemotePolicyOptions.Of(configure));
    }

    /// <summary>An Open Policy Agent, asked by its REST data API at each issue and each refresh. Claims go there, never a token; it is not told who asks, so put what authenticates callers before it on loopback.</summary>
    /// <param name="server">Its address: https, no query. Loopback may be http.</param>
    /// <param name="path">The rule that decides: what stands behind <c>/v1/data/</c>, such as <c>tokens/decision</c>. It gives true, false, or an object; undefined is a deny.</param>
    /// <param name="configure">Changes the deadline and the claims.</param>
    /// <exception cref="ArgumentException">The address may not be asked, the path names no rule, or an option is out of its range.</exception>
    public static IAccessPolicy Opa(Uri server, string path, Action<RemotePolicyOptions>? configure = null)
    {
        OptionChecks.Issuer(server, nameof(server));
        ArgumentNullException.ThrowIfNull(path);
        return OpaPoint.FaultOfPath(path) is { } fault
            ? throw new ArgumentException($"The path {fault}. {OpaPoint.PathRemedy}", nameof(path))
            : new RemotePolicy(new OpaPoint(server, path), RemotePolicyOptions.Of(configure));
    }
}
