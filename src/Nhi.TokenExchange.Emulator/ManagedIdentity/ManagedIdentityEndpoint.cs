using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Nhi.TokenExchange;

/// <summary>Answers at all hosts: the door, the identity, the resource, the token.</summary>
internal sealed class ManagedIdentityEndpoint(ManagedIdentityHosts hosts, EntraDirectory directory, Ledger ledger, ArcKeyFiles arc)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string ObjectId, string Resource), (string Token, LedgerIssue Issue)> _kept = [];
    private readonly Queue<DateTimeOffset> _lastSecond = new();

    public EmulatorAnswer Answer(EmulatorRequest request, ManagedIdentityHost host)
    {
        if (host == ManagedIdentityHost.Imds)
            InLimits(request);
        if (!HttpMethods.Equals(request.Http.Request.Method, host == ManagedIdentityHost.CloudShell ? HttpMethods.Post : HttpMethods.Get))
            throw ManagedIdentityErrors.Refuse(host, "method_not_allowed", "method", $"This host does not answer {request.Http.Request.Method}.", 405);
        ManagedIdentityDoor.Open(request, host, hosts.IdentityHeader);
        if (host == ManagedIdentityHost.AzureArc && Challenge(request) is { } challenge)
            return challenge;
        ManagedIdentity identity = ManagedIdentityChoice.Of(request, host, hosts);
        string resource = (host == ManagedIdentityHost.CloudShell ? request.Form.One("resource") : request.Query("resource"))
            ?? throw ManagedIdentityErrors.Refuse(host, "invalid_request", "resource_missing", "Required query variable 'resource' is missing.");
        EntraResource known = directory.FindResource(resource)
            ?? throw ManagedIdentityErrors.Refuse(host, "invalid_resource", "resource_unknown", $"AADSTS50001: The application named {resource} was not found in the tenant named {identity.TenantId}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.");
        (string token, LedgerIssue issue) = Token(identity, known, resource, request.RequestId);
        return Success(host, identity, resource, token, issue).NotStored();
    }

    public void Close() => arc.DeleteAll();

    // "Rate limiting" of the IMDS page: 20 requests per second and 5 at once for the identity category.
    private void InLimits(EmulatorRequest request)
    {
        if (!hosts.EnforcesLimits)
            return;
        bool over;
        lock (_gate)
        {
            while (_lastSecond.TryPeek(out DateTimeOffset first) && first <= request.At - TimeSpan.FromSeconds(1))
                _lastSecond.Dequeue();
            _lastSecond.Enqueue(request.At);
            over = _lastSecond.Count > 20;
        }

        if (over || ledger.Requests.Now(EmulatorEndpoint.ManagedIdentityToken) > 5)
            throw ManagedIdentityErrors.Refuse(ManagedIdentityHost.Imds, "too_many_requests", "throttled", "Too many requests.", 429);
    }

    /// <summary>Null: the caller showed what stands in the key file of an open challenge.</summary>
    private EmulatorAnswer? Challenge(EmulatorRequest request)
    {
        if (request.Authorization.StartsWith("Basic ", StringComparison.Ordinal) && arc.Redeem(request.Authorization["Basic ".Length..]))
            return null;
        EmulatorAnswer answer = EmulatorAnswer.Of(new JsonObject { ["error"] = "unauthorized_client", ["error_description"] = "Missing or wrong Basic Authorization header." }, 401);
        answer.Headers["WWW-Authenticate"] = $"Basic realm={arc.Challenge()}";
        return answer;
    }

    // "Token caching" of the same page: the platform keeps tokens, and a caller can't ask around that.
    private (string Token, LedgerIssue Issue) Token(ManagedIdentity identity, EntraResource known, string resource, string requestId)
    {
        lock (_gate)
        {
            if (hosts.CachesTokens && _kept.TryGetValue((identity.ObjectId, resource), out (string Token, LedgerIssue Issue) kept) && directory.Time.GetUtcNow() < kept.Issue.EndsAt - hosts.CacheMargin)
                return kept;
            return _kept[(identity.ObjectId, resource)] = directory.Tokens.Issue(new EntraTokenOrder
            {
                TenantId = identity.TenantId,
                ClientId = identity.ClientId,
                ObjectId = identity.ObjectId,
                Resource = known,
                Asked = resource,
                Life = hosts.TokenLifetime,
                ResourceId = identity.ResourceId,
                IsPerson = identity.IsPerson,
                RequestId = requestId,
            });
        }
    }

    private EmulatorAnswer Success(ManagedIdentityHost host, ManagedIdentity identity, string resource, string token, LedgerIssue issue)
    {
        string ends = Text(issue.EndsAt.ToUnixTimeSeconds());
        var body = new JsonObject { ["access_token"] = token, ["resource"] = resource, ["token_type"] = "Bearer", ["expires_on"] = ends };
        switch (host)
        {
            case ManagedIdentityHost.ServiceFabric:
                body["expires_on"] = issue.EndsAt.ToUnixTimeSeconds();
                break;
            case ManagedIdentityHost.AppService or ManagedIdentityHost.MachineLearning:
                body["client_id"] = identity.ClientId;
                body["not_before"] = Text(issue.IssuedAt.ToUnixTimeSeconds());
                break;
            default:
                string left = Text((long)(issue.EndsAt - directory.Time.GetUtcNow()).TotalSeconds);
                body["client_id"] = identity.ClientId;
                body["expires_in"] = left;
                body["ext_expires_in"] = left;
                body["not_before"] = Text(issue.IssuedAt.ToUnixTimeSeconds());
                body["refresh_token"] = "";
                break;
        }

        return EmulatorAnswer.Of(body);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
