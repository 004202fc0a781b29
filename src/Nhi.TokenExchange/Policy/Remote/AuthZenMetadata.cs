namespace Nhi.TokenExchange;

/// <summary>Finds where a decision point is asked (AuthZEN §9, policy decision point metadata), and remembers it for an hour or until it fails there.</summary>
/// <remarks>Believed only if the document names the configured decision point byte for byte, and only on its own host: another's document can't send the claims elsewhere. <c>signed_metadata</c> is not read; TLS says whose document it is.</remarks>
internal sealed class AuthZenMetadata(Uri decisionPoint)
{
    private const string Remedy = "Check the decision point's address, or name its evaluation endpoint.";

    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    private Found? _found;

    public async ValueTask<Uri> EvaluationEndpointAsync(DecisionCall call, CancellationToken cancellationToken)
    {
        if (_found is { } found && call.Time.GetElapsedTime(found.At) < Lifetime)
            return found.Endpoint;
        long at = call.Time.GetTimestamp();
        Uri endpoint = await FetchAsync(call, cancellationToken).ConfigureAwait(false);
        _found = new Found(endpoint, at);
        return endpoint;
    }

    public void Forget() => _found = null;

    private async Task<Uri> FetchAsync(DecisionCall call, CancellationToken cancellationToken)
    {
        // As in RFC 8414 §3.1: inserted between host and path.
        var place = new Uri($"{decisionPoint.GetLeftPart(UriPartial.Authority)}/.well-known/authzen-configuration{decisionPoint.AbsolutePath.TrimEnd('/')}");
        using var get = new HttpRequestMessage(HttpMethod.Get, place);
        using HttpResponseMessage response = await DecisionChannel.SendAsync(get, call, cancellationToken).ConfigureAwait(false);
        return Read(DecisionChannel.BodyOf(response), call);
    }

    private Uri Read(ReadOnlySpan<byte> json, DecisionCall call)
    {
        string? named = null, evaluation = null;
        var members = new JsonMembers(json);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                case "policy_decision_point": named = members.Text(); break;
                case "access_evaluation_endpoint": evaluation = members.Text(); break;
                default: break;
            }
        }
        if (members.Fault is { } fault)
            throw Failed(fault, Remedy);
        if (!string.Equals(named, decisionPoint.OriginalString, StringComparison.Ordinal))
            throw Failed($"names '{OuterText.Shown(named)}' as 'policy_decision_point'", $"Configure it exactly as it names itself; '{OuterText.Shown(decisionPoint.OriginalString)}' was configured.");
        _ = Uri.TryCreate(evaluation, UriKind.Absolute, out Uri? endpoint);
        if (string.IsNullOrEmpty(evaluation) || EndpointRules.FaultOf(endpoint) is { })
            throw Failed($"has an 'access_evaluation_endpoint' that {(string.IsNullOrEmpty(evaluation) ? "is missing" : EndpointRules.FaultOf(endpoint))}", Remedy);
        if (!string.Equals(endpoint!.IdnHost, decisionPoint.IdnHost, StringComparison.OrdinalIgnoreCase) || (decisionPoint.Scheme == Uri.UriSchemeHttps && endpoint.Scheme != Uri.UriSchemeHttps))
            throw Failed($"has an 'access_evaluation_endpoint' on another host, {OuterText.Shown(endpoint.IdnHost)}", "If that is right, name the evaluation endpoint.");
        return endpoint;

        TokenExchangeException Failed(string what, string hint) => DecisionFailure.Undiscovered(decisionPoint, call, what, hint);
    }

    private sealed record Found(Uri Endpoint, long At);
}
