using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Nhi.TokenExchange;

/// <summary>Takes each request through: guard, route, endpoint, answer. Whatever goes wrong, the answer is in the form of the protocol that was asked by.</summary>
internal sealed class RequestDesk(BrokerPlan plan, Callers callers, RefusalRecord refusals)
{
    public async Task HandleAsync(HttpContext http, BrokerHost host)
    {
        var peer = http.Features.GetRequiredFeature<Peer>();
        var call = new BrokerCall(http, peer, plan, callers);
        BrokerRoute route = BrokerRoute.None;
        BrokerAnswer answer;
        try
        {
            RequestGuard.Check(http, host.Hosts);
            if (peer.IsLocalSocket && peer.IsAnotherUser)
                throw new BrokerRefusal(RefusalKind.Forbidden, FormattableString.Invariant($"{peer.Facts} asks; this broker serves user {Peer.CurrentUser}"));
            route = BrokerRoute.Of(call.Path, plan, host.Address);
            answer = await route.AnswerAsync(call).ConfigureAwait(false);
        }
        catch (BrokerRefusal refusal)
        {
            bool isStranger = call.IsOfStranger(refusal);
            TimeSpan? wait = refusals.Add(refusal, route, call.CallerName, peer, isStranger);
            answer = Refused(route, wait is null ? refusal : new BrokerRefusal(RefusalKind.TooMany, $"{refusal.Message}; and too many requests were refused that proved nothing") { RetryAfter = wait });
            if (isStranger)
                answer.Headers["Connection"] = "close";   // he holds no place meanwhile
        }
        catch (OperationCanceledException) when (call.Aborted.IsCancellationRequested)
        {
            return;   // who asked hung up
        }
        catch (Exception fault)   // ours; what it says may have anything in it
        {
            plan.Logger.BrokerFault(fault.GetType().Name);
            answer = Refused(route, new BrokerRefusal(RefusalKind.Failed, "the broker failed; its log says more"));
        }
        await WriteAsync(http, answer).ConfigureAwait(false);
    }

    private static BrokerAnswer Refused(BrokerRoute route, BrokerRefusal refusal)
    {
        BrokerAnswer answer = route.Refuse(refusal);
        if (refusal.RetryAfter is { } wait)
            answer.Headers["Retry-After"] = Math.Ceiling(Math.Max(1, wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);   // RFC 9110 §10.2.3: whole seconds
        return answer;
    }

    private static async Task WriteAsync(HttpContext http, BrokerAnswer answer)
    {
        HttpResponse response = http.Response;
        response.StatusCode = answer.Status;
        response.ContentType = answer.ContentType;
        response.ContentLength = answer.Body.Length;
        // RFC 6749 §5.1: what has a token in it is kept by nobody on the way.
        response.Headers.CacheControl = "no-store";
        response.Headers.Pragma = "no-cache";
        response.Headers.XContentTypeOptions = "nosniff";
        foreach ((string name, string value) in answer.Headers)
            response.Headers[name] = value;
        await response.Body.WriteAsync(answer.Body, http.RequestAborted).ConfigureAwait(false);
    }
}
