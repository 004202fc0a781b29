namespace Nhi.TokenExchange;

/// <summary>Which identity a request means. The names of the parameters differ from host to host, and a wrong name is not an identity.</summary>
internal static class ManagedIdentityChoice
{
    private static readonly string[] AllNames = ["client_id", "object_id", "msi_res_id", "mi_res_id", "principal_id", "clientid", "principalId"];

    public static ManagedIdentity Of(EmulatorRequest request, ManagedIdentityHost host, ManagedIdentityHosts hosts)
    {
        string[] given = [.. AllNames.Where(name => request.Query(name) is not null)];
        if (host == ManagedIdentityHost.CloudShell)
            return given.Length == 0 ? hosts.Person : throw Unknown(host);
        if (given.Length > 1)
            throw ManagedIdentityErrors.Refuse(host, "invalid_request", "identity_ambiguous", "At most one identity may be named.");
        if (given.Length == 0)
            return Unnamed(host, hosts);
        string value = request.Query(given[0])!;
        ManagedIdentity? found = Candidates(host, hosts).FirstOrDefault(identity => Fits(host, given[0], value, identity));
        return found ?? throw Unknown(host);
    }

    // IMDS page: the system-assigned one if there is one, else the only user-assigned one, else an id is required.
    private static ManagedIdentity Unnamed(ManagedIdentityHost host, ManagedIdentityHosts hosts)
    {
        if (hosts.HasSystemAssigned)
            return hosts.SystemAssigned;
        // App Service and Arc: no name means the system-assigned one, which may not exist.
        if (host is ManagedIdentityHost.AppService or ManagedIdentityHost.AzureArc || hosts.UserAssigned.Count == 0)
            throw Unknown(host);
        return hosts.UserAssigned is [{ } only] ? only : throw ManagedIdentityErrors.Refuse(host, "invalid_request", "identity_required", "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request");
    }

    private static IEnumerable<ManagedIdentity> Candidates(ManagedIdentityHost host, ManagedIdentityHosts hosts) => host == ManagedIdentityHost.AzureArc ? [] :
        hosts.HasSystemAssigned ? hosts.UserAssigned.Append(hosts.SystemAssigned) : hosts.UserAssigned;

    private static bool Fits(ManagedIdentityHost host, string name, string value, ManagedIdentity identity)
    {
        string? wanted = (host, name) switch
        {
            (ManagedIdentityHost.Imds or ManagedIdentityHost.AppService, "client_id") or (ManagedIdentityHost.MachineLearning, "clientid") => identity.ClientId,
            (ManagedIdentityHost.Imds or ManagedIdentityHost.AppService, "object_id") or (ManagedIdentityHost.AppService, "principal_id") or (ManagedIdentityHost.ServiceFabric, "principalId") => identity.ObjectId,
            (ManagedIdentityHost.Imds, "msi_res_id") or (ManagedIdentityHost.AppService, "mi_res_id") => identity.ResourceId,
            _ => null,
        };
        return string.Equals(wanted, value, StringComparison.OrdinalIgnoreCase);
    }

    private static OAuthRefusal Unknown(ManagedIdentityHost host) => ManagedIdentityErrors.Refuse(host, "invalid_request", "identity_unknown", host switch
    {
        ManagedIdentityHost.AppService => "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
        _ => "Identity not found",
    });
}
