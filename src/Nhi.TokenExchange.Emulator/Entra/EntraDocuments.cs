using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Nhi.TokenExchange;

/// <summary>What Entra publishes: instance discovery, a tenant's metadata, its keys.</summary>
internal sealed class EntraDocuments(EntraDirectory directory)
{
    /// <summary><c>GET /common/discovery/instance?api-version=1.1&amp;authorization_endpoint=…</c>, as SDKs ask before they trust an authority's host.</summary>
    public EmulatorAnswer Instance(EmulatorRequest request)
    {
        if (!Uri.TryCreate(request.Query("authorization_endpoint"), UriKind.Absolute, out Uri? asked) || !(IsOwn(asked) || EntraClouds.OfHost(asked.Host) is not null))
            throw EntraErrors.Refuse(50049, "Unknown or invalid instance.");
        string tenant = asked.Segments.Length > 1 ? asked.Segments[1].TrimEnd('/') : directory.TenantId;
        var metadata = new JsonArray([.. EntraClouds.All.Select(cloud => (JsonNode)Entry(cloud.LoginHost, cloud.PreferredCache, cloud.Hosts))]);
        // MSAL.NET looks for the bare host, MSAL Node for host and port.
        foreach (string own in new[] { "localhost", new Uri(directory.Ports.EntraOrigin).Authority })
            metadata.Add((JsonNode)Entry(own, own, [own]));
        return EntraErrors.Stamp(EmulatorAnswer.Of(new JsonObject
        {
            ["tenant_discovery_endpoint"] = $"https://{asked.Authority}/{tenant}/v2.0/.well-known/openid-configuration",
            ["api-version"] = "1.1",
            ["metadata"] = metadata,
        }), request);
    }

    // OIDC Discovery 1.0 §3.
    public EmulatorAnswer Metadata(EmulatorRequest request, string tenant)
    {
        string origin = Origin(request);
        string id = TenantOf(tenant);
        return EntraErrors.Stamp(EmulatorAnswer.Of(new JsonObject
        {
            ["token_endpoint"] = $"{origin}/{id}/oauth2/v2.0/token",
            ["token_endpoint_auth_methods_supported"] = JsonText.Array(["client_secret_post", "private_key_jwt", "client_secret_basic"]),
            ["jwks_uri"] = $"{origin}/{id}/discovery/v2.0/keys",
            ["response_modes_supported"] = JsonText.Array(["query", "fragment", "form_post"]),
            ["subject_types_supported"] = JsonText.Array(["pairwise"]),
            ["id_token_signing_alg_values_supported"] = JsonText.Array([directory.Algorithm]),
            ["response_types_supported"] = JsonText.Array(["code", "id_token", "code id_token", "id_token token"]),
            ["scopes_supported"] = JsonText.Array(["openid", "profile", "email", "offline_access"]),
            ["issuer"] = directory.IssuerOf(id),
            ["authorization_endpoint"] = $"{origin}/{id}/oauth2/v2.0/authorize",
            ["device_authorization_endpoint"] = $"{origin}/{id}/oauth2/v2.0/devicecode",
            ["end_session_endpoint"] = $"{origin}/{id}/oauth2/v2.0/logout",
            ["claims_supported"] = JsonText.Array(["sub", "iss", "aud", "exp", "iat", "ver", "tid"]),
            ["cloud_instance_name"] = directory.Clouds.LoginHost,
        }), request);
    }

    public EmulatorAnswer Jwks(EmulatorRequest request, string tenant)
    {
        _ = TenantOf(tenant);
        _ = directory.Keys.Current(directory.Algorithm);
        return EntraErrors.Stamp(EmulatorAnswer.Of(directory.Keys.ToJwks()), request);
    }

    private static JsonObject Entry(string preferred, string cache, IEnumerable<string> aliases) =>
        new() { ["preferred_network"] = preferred, ["preferred_cache"] = cache, ["aliases"] = JsonText.Array(aliases) };

    private string TenantOf(string tenant) => tenant is "common" or "organizations" ? directory.TenantId
        : directory.HasTenant(tenant) ? tenant.ToLowerInvariant()
        : throw EntraErrors.Refuse(90002, $"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.");

    private bool IsOwn(Uri asked) => asked.Port == directory.Ports.Entra && asked.IsLoopback;

    // The document speaks of the host that was asked, as the real one does.
    private string Origin(EmulatorRequest request)
    {
        HostString host = request.Http.Request.Host;
        return EntraClouds.OfHost(host.Host) is not null ? $"https://{host.Host}" : directory.Ports.EntraOrigin;
    }
}
