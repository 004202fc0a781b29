using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Nhi.TokenExchange;

/// <summary>One request that passed the guard: what it asks, and who asks it.</summary>
internal sealed class BrokerCall(HttpContext http, Peer peer, BrokerPlan plan, Callers callers)
{
    public BrokerPlan Plan => plan;

    public Callers Callers => callers;

    public Peer Peer => peer;

    public HttpRequest Request => http.Request;

    public string Path => http.Request.Path.Value ?? "/";

    public CancellationToken Aborted => http.RequestAborted;

    /// <summary>The name of the caller, once it is known.</summary>
    public string CallerName { get; private set; } = peer.IsLocalSocket ? peer.Facts.ToString() : "somebody on loopback";

    /// <summary>Whether who asks has proved who he is.</summary>
    public bool IsProven { get; private set; }

    public void NeedMethod(string method)
    {
        if (http.Request.Method != method)
            throw new BrokerRefusal(RefusalKind.WrongMethod, $"this path answers {method} only");
    }

    /// <summary>A parameter of the address; null: it is not there.</summary>
    /// <exception cref="BrokerRefusal">It is there more than once.</exception>
    public string? Query(string name) => http.Request.Query.TryGetValue(name, out StringValues values) ? values is [{ } one] ? one : throw new BrokerRefusal(RefusalKind.Malformed, $"'{name}' comes {values.Count} times; once is allowed") : null;

    public string NeedQuery(string name) => Query(name) is { Length: > 0 } value ? value : throw new BrokerRefusal(RefusalKind.Malformed, $"'{name}' is missing");

    /// <summary>A header; null: it is not there.</summary>
    /// <exception cref="BrokerRefusal">It is there more than once.</exception>
    public string? Header(string name) => http.Request.Headers[name] switch
    {
        { Count: 0 } => null,
        [{ } one] => one,
        _ => throw new BrokerRefusal(RefusalKind.Malformed, $"the header {name} comes more than once"),
    };

    /// <summary>The caller whose token a header holds, verbatim.</summary>
    /// <exception cref="BrokerRefusal">There is none, or it is nobody's.</exception>
    public Caller ByTokenIn(string header)
    {
        string presented = Header(header) is { Length: > 0 } value ? value : throw new BrokerRefusal(RefusalKind.Unproven, $"the header {header} is missing; it holds the client's token");
        return ByToken(presented) ?? throw new BrokerRefusal(RefusalKind.Unproven, $"the token in the header {header} is none of this broker's");
    }

    public Caller? ByToken(string presented) => Named(callers.ByToken(presented));

    /// <summary>Whether a refusal is of somebody who proved nothing: who asks for nothing that is here did not either. The broker that has no room or stops says so before it looks at a proof, and SDKs of its own user look for it without one.</summary>
    public bool IsOfStranger(BrokerRefusal refusal) => !IsProven && refusal.Kind is not (RefusalKind.Unavailable or RefusalKind.TooMany) && !(refusal.IsOfProbe && !peer.IsAnotherUser);

    /// <summary>The caller that is the process at the other end.</summary>
    /// <exception cref="BrokerRefusal">The kernel names no process of this user.</exception>
    public Caller ByProcess()
    {
        PeerFacts facts = peer.Facts;
        if (facts.UserId is null)
            throw new BrokerRefusal(RefusalKind.Forbidden, "the kernel does not tell who is at the other end");
        if (peer.IsAnotherUser)
            throw new BrokerRefusal(RefusalKind.Forbidden, FormattableString.Invariant($"{facts} asks; this broker serves user {Peer.CurrentUser}"));
        RunningProcess process = facts.Process ?? throw new BrokerRefusal(RefusalKind.Forbidden, "the process at the other end is gone, or of another container");
        return Named(plan.OnlyBoundProcesses ? callers.OfBound(process) : callers.OfProcess(process))!;
    }

    /// <summary>What the client holds that asks, or its process, which may have asked as such before.</summary>
    public (Caller Holder, BearerToken Token)? Held(Caller client, string token)
    {
        if (client.Find(token) is { } own)
            return (client, own);
        return !peer.IsAnotherUser && peer.Facts.Process is { } process && callers.KnownProcess(process) is { } known && known.Find(token) is { } its ? (known, its) : null;
    }

    private Caller? Named(Caller? caller)
    {
        if (caller is not null)
            (CallerName, IsProven) = (caller.Identity.ToString(), true);
        return caller;
    }
}
