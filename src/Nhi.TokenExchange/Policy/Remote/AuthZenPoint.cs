namespace Nhi.TokenExchange;

/// <summary>OpenID AuthZEN Authorization API 1.0: one access evaluation (§6).</summary>
internal sealed class AuthZenPoint(Uri decisionPoint, Uri? configured) : IDecisionPoint
{
    /// <summary>The member of the answer's <c>context</c> that holds our limits. What stands beside it is somebody else's and is not read.</summary>
    public const string LimitsMember = "nhi_token_exchange";

    private readonly AuthZenMetadata _metadata = new(decisionPoint);

    public string Rule { get; } = $"authzen {decisionPoint.IdnHost}";

    public string Identifier { get; } = $"authzen {decisionPoint.OriginalString}";

    public async Task<DecisionAnswer> AskAsync(DecisionCall call, CancellationToken cancellationToken)
    {
        Uri endpoint = configured ?? await _metadata.EvaluationEndpointAsync(call, cancellationToken).ConfigureAwait(false);
        try
        {
            using HttpResponseMessage response = await DecisionChannel.PostAsync(endpoint, call.Question, call, cancellationToken).ConfigureAwait(false);
            return Read(DecisionChannel.BodyOf(response), endpoint, call) with { CorrelationId = CorrelationIds.Of(response) ?? call.RequestId };
        }
        catch (Exception exception) when (exception is TokenExchangeException or OperationCanceledException)   // the latter: no answer in time
        {
            _metadata.Forget();   // it may have moved
            throw;
        }
    }

    private static DecisionAnswer Read(ReadOnlySpan<byte> json, Uri endpoint, DecisionCall call)
    {
        bool? decision = null;
        var context = new AuthZenContext();
        var members = new JsonMembers(json);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                case "decision": decision = JsonBooleans.Read(members.Raw()); break;
                case "context": context = AuthZenContext.Read(members.Raw()); break;
                default: break;   // §5: members that are not known are ignored
            }
        }
        // A clear no stands, whatever else is wrong; a yes only with all that it says.
        string? fault = members.Fault ?? (decision switch
        {
            null => "has no 'decision' that is true or false",
            true => context.Fault ?? (context.HasObligations ? "permits with 'obligations' in its context, which nobody here would keep" : null),
            false => null,
        });
        return fault is not null
            ? throw DecisionFailure.Malformed(endpoint, call, fault)
            : new DecisionAnswer(decision!.Value) { Reason = context.Reason, Limits = context.Limits };
    }
}
