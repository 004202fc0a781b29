namespace Nhi.TokenExchange;

/// <summary>The variables by which SDKs find a broker.</summary>
internal static class ClientEnvironment
{
    /// <summary>Where the broker is: <c>unix:/path</c>, or an address.</summary>
    public const string Broker = "NHI_BROKER";

    /// <summary>The file with the client's token.</summary>
    public const string TokenFile = "NHI_BROKER_TOKEN_FILE";

    // What SDKs would use before the broker, or instead of it.
    private static readonly string[] InTheWay =
    [
        "IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE",
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_ROOT", "NO_GCE_CHECK",
    ];

    private static readonly string[] ProxyExceptions = ["NO_PROXY", "no_proxy"];

    /// <summary>The variables of one client.</summary>
    /// <param name="plan">What is handed out.</param>
    /// <param name="host">Where.</param>
    /// <param name="token">The client's token.</param>
    /// <param name="tokenFile">Where it stands in a file.</param>
    public static IReadOnlyDictionary<string, string> Of(BrokerPlan plan, BrokerHost host, string token, string tokenFile)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal) { [Broker] = host.SocketPath is { } path ? $"unix:{path}" : host.Address.AbsoluteUri, [TokenFile] = tokenFile };
        if (host.SocketPath is not null)
            return variables;   // no SDK of a cloud knows Unix sockets
        if (plan.AzureIdentities.Count > 0)
        {
            variables["IDENTITY_ENDPOINT"] = new Uri(host.Address, AppServiceEndpoint.Path).AbsoluteUri;
            variables["IDENTITY_HEADER"] = token;
            variables["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = host.Address.GetLeftPart(UriPartial.Authority);
        }
        if (plan.AwsDefault is { } role)
        {
            variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = new Uri(host.Address, AwsContainerEndpoint.PathOf(role)).AbsoluteUri;
            variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = tokenFile;
            variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = token;   // older clients know no file; the others prefer it
            variables["AWS_EC2_METADATA_DISABLED"] = "true";
        }
        if (plan.Google is not null)
        {
            variables["GCE_METADATA_HOST"] = host.Address.Authority;
            variables["GCE_METADATA_IP"] = host.Address.Authority;
        }
        return variables;
    }

    /// <summary>Changes an environment so that the broker is found, and found first.</summary>
    public static void Apply(IReadOnlyDictionary<string, string> variables, IDictionary<string, string?> environment)
    {
        foreach (string name in InTheWay)
            environment.Remove(name);
        foreach ((string name, string value) in variables)
            environment[name] = value;
        foreach (string name in ProxyExceptions)
            environment[name] = environment.TryGetValue(name, out string? others) && others is { Length: > 0 } ? $"{others},127.0.0.1,localhost" : "127.0.0.1,localhost";
    }
}
