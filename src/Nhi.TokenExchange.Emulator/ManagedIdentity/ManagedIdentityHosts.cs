using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Nhi.TokenExchange;

/// <summary>The emulated token endpoints of Azure's compute hosts, all for the same identities.</summary>
/// <remarks>
/// Pages: "How to use managed identities for Azure resources on an Azure VM to acquire an access token"; "How to use managed identities for App Service and Azure Functions";
/// "Authenticate against Azure resources with Azure Arc-enabled servers". Settings are made before the first request that needs them.
/// </remarks>
public sealed class ManagedIdentityHosts
{
    private const string Group = "/subscriptions/5a5a0000-0000-4000-8000-000000000010/resourcegroups/jobs/providers";

    private readonly ConcurrentQueue<ManagedIdentity> _userAssigned = new();
    private readonly EmulatorCertificates _certificates;
    private readonly EmulatorPorts _ports;
    private readonly ManagedIdentityEndpoint _endpoint;

    internal ManagedIdentityHosts(EmulatorPorts ports, EmulatorCertificates certificates, EntraDirectory directory, Ledger ledger, EmulatorCanaries canaries)
    {
        _ports = ports;
        _certificates = certificates;
        SystemAssigned = new ManagedIdentity(directory.TenantId, $"{Group}/Microsoft.Compute/virtualMachines/orders-nightly", isSystemAssigned: true);
        Person = new ManagedIdentity(directory.TenantId, $"{Group}/Microsoft.Portal/consoles/default", isSystemAssigned: false) { IsPerson = true };
        IdentityHeader = $"{canaries.ManagedIdentity}-{RandomNumberGenerator.GetHexString(24, lowercase: true)}";
        _endpoint = new ManagedIdentityEndpoint(this, directory, ledger, new ArcKeyFiles(() => ArcTokenFolder, canaries.ManagedIdentity));
    }

    /// <summary>The machine's own identity.</summary>
    public ManagedIdentity SystemAssigned { get; }

    /// <summary>Whether the hosts have a system-assigned identity. Default true. False: a request that names no identity gets the only user-assigned one, or is refused.</summary>
    public bool HasSystemAssigned { get; set; } = true;

    /// <summary>The user-assigned identities.</summary>
    public IReadOnlyList<ManagedIdentity> UserAssigned => [.. _userAssigned];

    /// <summary>The life of new tokens. Default 24 hours.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Whether the hosts hand out the same token for an identity and resource until <see cref="CacheMargin"/> is left. Default true, as the platform does; nobody outside can force a new one.</summary>
    public bool CachesTokens { get; set; } = true;

    /// <summary>How much life a kept token must still have to be handed out again. Default 5 minutes; the platform's own figure is not documented.</summary>
    public TimeSpan CacheMargin { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether IMDS refuses more than 20 requests per second (on the emulator's clock) or 5 at once, with 429. Default false.</summary>
    public bool EnforcesLimits { get; set; }

    /// <summary>Where Azure Arc's key files are written; made when first needed. SDKs take them from the agent's own folder alone, which is the default.</summary>
    public string ArcTokenFolder { get; set; } = OperatingSystem.IsWindows()
        ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "AzureConnectedMachineAgent", "Tokens")
        : "/var/opt/azcmagent/tokens";

    /// <summary>The secret that App Service, Machine Learning and Service Fabric want in a header.</summary>
    public string IdentityHeader { get; }

    internal ManagedIdentity Person { get; }

    /// <summary>Assigns a further identity to the hosts.</summary>
    /// <param name="name">Its name in its ARM id; null for a new one.</param>
    public ManagedIdentity AddUserAssigned(string? name = null)
    {
        var identity = new ManagedIdentity(SystemAssigned.TenantId, $"{Group}/Microsoft.ManagedIdentity/userAssignedIdentities/{name ?? $"identity-{_userAssigned.Count + 1}"}", isSystemAssigned: false);
        _userAssigned.Enqueue(identity);
        return identity;
    }

    /// <summary>The token endpoint of a host.</summary>
    /// <param name="host">The host.</param>
    public Uri EndpointOf(ManagedIdentityHost host) => new((host == ManagedIdentityHost.ServiceFabric ? _ports.EntraOrigin : _ports.ManagedIdentityOrigin) + PathOf(host));

    /// <summary>The environment variables by which SDKs find a host. They are for a process that has none of the others'.</summary>
    /// <param name="host">The host.</param>
    public IReadOnlyDictionary<string, string> EnvironmentOf(ManagedIdentityHost host)
    {
        string endpoint = EndpointOf(host).OriginalString;
        return host switch
        {
            ManagedIdentityHost.Imds => new Dictionary<string, string> { ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = _ports.ManagedIdentityOrigin },
            ManagedIdentityHost.AppService => new Dictionary<string, string> { ["IDENTITY_ENDPOINT"] = endpoint, ["IDENTITY_HEADER"] = IdentityHeader },
            ManagedIdentityHost.AzureArc => new Dictionary<string, string> { ["IDENTITY_ENDPOINT"] = endpoint, ["IMDS_ENDPOINT"] = _ports.ManagedIdentityOrigin },
            ManagedIdentityHost.MachineLearning => new Dictionary<string, string> { ["MSI_ENDPOINT"] = endpoint, ["MSI_SECRET"] = IdentityHeader, ["DEFAULT_IDENTITY_CLIENT_ID"] = SystemAssigned.ClientId },
            ManagedIdentityHost.CloudShell => new Dictionary<string, string> { ["MSI_ENDPOINT"] = endpoint },
            _ => new Dictionary<string, string> { ["IDENTITY_ENDPOINT"] = endpoint, ["IDENTITY_HEADER"] = IdentityHeader, ["IDENTITY_SERVER_THUMBPRINT"] = _certificates.Server.Thumbprint },
        };
    }

    // MSAL Node writes a slash at the end, as IMDS takes it.
    internal static ManagedIdentityHost? HostAt(string path) =>
        Enum.GetValues<ManagedIdentityHost>().Where(host => PathOf(host) == path.TrimEnd('/')).Select(host => (ManagedIdentityHost?)host).FirstOrDefault();

    internal ManagedIdentity? FindByObjectId(string objectId) => _userAssigned.Append(SystemAssigned).FirstOrDefault(identity => identity.ObjectId == objectId);

    internal void Close() => _endpoint.Close();

    internal EmulatorAnswer Answer(EmulatorRequest request) => _endpoint.Answer(request, HostAt(request.Path)!.Value);

    private static string PathOf(ManagedIdentityHost host) => host switch
    {
        ManagedIdentityHost.Imds => "/metadata/identity/oauth2/token",
        ManagedIdentityHost.AppService => "/msi/token",
        ManagedIdentityHost.AzureArc => "/arc/metadata/identity/oauth2/token",
        ManagedIdentityHost.MachineLearning => "/ml/msi/token",
        ManagedIdentityHost.CloudShell => "/cloudshell/oauth2/token",
        _ => "/servicefabric/identity/token",
    };
}
