using System.Net;

namespace Nhi.TokenExchange;

/// <summary>Which kind of host MSAL asks, told by the request that it made, and when that host is worth another try.</summary>
/// <remarks>learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token, "Error handling"; MSAL's own tables in Http/Retry.</remarks>
internal sealed record MetadataHost
{
    private const string Imds = "169.254.169.254";
    private const string MsiEndpoint = "MSI_ENDPOINT";

    private static readonly HttpStatusCode[] PassingOnOthers =
        [HttpStatusCode.NotFound, HttpStatusCode.RequestTimeout, HttpStatusCode.TooManyRequests, HttpStatusCode.InternalServerError, HttpStatusCode.ServiceUnavailable, HttpStatusCode.GatewayTimeout];

    private MetadataHost(string name, Uri address)
    {
        Name = name;
        Address = address;
    }

    /// <summary>Its name in messages.</summary>
    public string Name { get; }

    public Uri Address { get; }

    /// <summary>The variable that names its address.</summary>
    public string Variable { get; private init; } = "IDENTITY_ENDPOINT";

    /// <summary>The instance metadata service, which is assumed where nothing else is declared.</summary>
    public bool IsInstanceMetadata { get; private init; }

    /// <summary>Whether the environment says that it is there: then it is waited for.</summary>
    public bool IsDeclared { get; private init; } = true;

    /// <summary>Its identity is that of whoever sits before it.</summary>
    public bool IsAPersons { get; private init; }

    /// <summary>Only the identity of the machine itself is there.</summary>
    public bool IsSystemAssignedOnly { get; private init; }

    /// <summary>Answers 401 to the first request, and says which file to read.</summary>
    public bool Challenges { get; private init; }

    public static MetadataHost Of(HttpRequestMessage request)
    {
        Uri address = request.RequestUri!;
        string query = address.Query;
        if (request.Method == HttpMethod.Post)
            return new("Cloud Shell", address) { Variable = MsiEndpoint, IsAPersons = true, IsSystemAssignedOnly = true };
        if (request.Headers.Contains("X-IDENTITY-HEADER"))
            return new("App Service", address);
        if (request.Headers.Contains("secret"))
            return query.Contains("api-version=2017-09-01", StringComparison.Ordinal) ? new("Azure Machine Learning", address) { Variable = MsiEndpoint } : new("Service Fabric", address);
        if (query.Contains("api-version=2020-06-01", StringComparison.Ordinal) || query.Contains("api-version=2019-11-01", StringComparison.Ordinal))
            return new("Azure Arc", address) { IsSystemAssignedOnly = true, Challenges = true };
        return new("the instance metadata service", address) { Variable = "AZURE_POD_IDENTITY_AUTHORITY_HOST", IsInstanceMetadata = true, IsDeclared = address.Host != Imds };
    }

    /// <summary>Whether a status says "not now" and nothing about the request.</summary>
    public bool MayPass(HttpStatusCode status) => IsInstanceMetadata
        ? status is HttpStatusCode.NotFound or HttpStatusCode.RequestTimeout or HttpStatusCode.Gone or HttpStatusCode.TooManyRequests || (int)status >= 500
        : PassingOnOthers.Contains(status);
}
