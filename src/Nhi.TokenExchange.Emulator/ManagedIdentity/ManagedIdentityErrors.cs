using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>How the hosts say no; each has a body of its own.</summary>
internal static class ManagedIdentityErrors
{
    public static OAuthRefusal Refuse(ManagedIdentityHost host, string error, string reason, string description, int status = 400) =>
        new(error, reason, description, status) { Render = request => EmulatorAnswer.Of(Body(host, error, description, status, request.RequestId), status) };

    private static JsonObject Body(ManagedIdentityHost host, string error, string description, int status, string requestId) => host switch
    {
        ManagedIdentityHost.AppService or ManagedIdentityHost.MachineLearning => new JsonObject { ["statusCode"] = status, ["message"] = description, ["correlationId"] = requestId },
        ManagedIdentityHost.CloudShell => new JsonObject { ["error"] = new JsonObject { ["code"] = error, ["message"] = description } },
        ManagedIdentityHost.ServiceFabric => new JsonObject { ["error"] = new JsonObject { ["correlationId"] = requestId, ["code"] = error, ["message"] = description } },
        _ => new JsonObject { ["error"] = error, ["error_description"] = description },
    };
}
