using Microsoft.Extensions.Primitives;

namespace Nhi.TokenExchange;

/// <summary>A policy that somebody else decides: asked at each issue and each refresh, within a deadline, through a circuit breaker.</summary>
/// <remarks>
/// A permit that names no lifetime lasts until the next refresh asks again; one that does ends every grant with it. A refresh always asks anew: served from memory, it would get the end that the last grant had already. No change is
/// pushed from there, so a deny holds for a while and is then asked again.
/// </remarks>
internal sealed class RemotePolicy(IDecisionPoint point, RemotePolicyOptions options) : IAccessPolicy, IExposurePolicy
{
    // Callers that go on asking for what was denied must not become as many requests; and a rule that was put right must not be felt much later.
    internal static readonly TimeSpan DenyHolds = TimeSpan.FromSeconds(10);

    // For who asks a policy without a session, as in a test of it. Waits before a repeat are half as long as they may be.
    private static readonly Lazy<HttpMessageInvoker> OwnChannel = new(() => IssuerBackchannel.Create(TimeProvider.System, () => 0.5, transport: null));

    private readonly string[] _claims = [.. options.Claims];
    private readonly TimeSpan _deadline = options.Deadline;
    private readonly DecisionCache _cache = new();
    private readonly DecisionCircuit _circuit = new();

    /// <summary>Which decision point it is. Which rules are in force there, it does not say.</summary>
    public string Revision => point.Identifier;

    /// <summary>They are told to it, and it may look at them.</summary>
    public bool LooksAtExposure => true;

    /// <summary>Whether the decision point does not answer and is not asked for a while.</summary>
    internal bool IsCircuitOpen => _circuit.IsOpen;

    internal int Remembered => _cache.Count;

    public async ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        TimeProvider time = request.Time ?? TimeProvider.System;
        byte[] question = DecisionQuestion.Of(request, _claims, isRefresh: false);
        string key = DecisionCache.KeyOf(question);
        if (request.IsRefresh)
            question = DecisionQuestion.Of(request, _claims, isRefresh: true);
        else if (_cache.Find(key, time) is { } known)
            return known;
        var call = new DecisionCall(question, (request.FlightId ?? Guid.NewGuid()).ToString(), request.Backchannel ?? OwnChannel.Value, time, _deadline);
        long askedAt = time.GetTimestamp();   // a lifetime counts from before the request was sent
        DateTimeOffset wall = time.GetUtcNow();
        DecisionAnswer answer = await _circuit.RunAsync(point.Rule, call, AskAsync, cancellationToken).ConfigureAwait(false);
        AccessDecision decision = Decide(answer, wall);
        decision.Forget = () => _cache.Forget(key);
        // What a refresh is told is no answer to an issue, but the later word: an older yes is not issued by any more.
        _cache.Answered(key, decision, request.IsRefresh ? null : answer.Limits.HoldsFor, askedAt, wall);
        return decision;
    }

    public IChangeToken GetChangeToken() => new CancellationChangeToken(CancellationToken.None);

    public override string ToString() => point.Identifier;

    private async Task<DecisionAnswer> AskAsync(DecisionCall call, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(_deadline, call.Time);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await point.AskAsync(call, bounded.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw DecisionFailure.TooLate(point.Rule, call);
        }
    }

    private AccessDecision Decide(DecisionAnswer answer, DateTimeOffset askedAt)
    {
        DecisionLimits limits = answer.Limits;
        string rule = limits.Rule ?? point.Rule;
        AccessDecision decision = answer.IsPermitted
            ? AccessDecision.Permit(rule, limits.Scopes, limits.MaxLifetime, askedAt + limits.HoldsFor, resources: limits.Resources, authorizationDetails: limits.AuthorizationDetails, permitsStaticKey: limits.PermitsStaticKey)
            : AccessDecision.Deny(rule, answer.Reason.Length > 0 ? answer.Reason : "the decision point gave no reason", askedAt + (limits.HoldsFor ?? DenyHolds));
        decision.CorrelationId = answer.CorrelationId;
        decision.AskedAgainAfter = DenyHolds;
        return decision;
    }
}
