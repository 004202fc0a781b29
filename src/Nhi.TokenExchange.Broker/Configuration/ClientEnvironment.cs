namespace Nhi.TokenExchange;

/// <summary>The variables by which SDKs find a broker.</summary>
internal static class ClientEnvironment
{
    /// <summary>Where the broker is: <c>unix:/path</c>, or an address.</summary>
    public const string Broker = "NHI_BROKER";

    /// <summary>The file with the client's token.</summary>
    public const string TokenFile = "NHI_BROKER_TOKEN_FILE";

    /// <summary>The folder of gcloud's settings and accounts.</summary>
    public const string GoogleFolder = "CLOUDSDK_CONFIG";

    // What SDKs would use before the broker, or instead of it.
    private static readonly string[] InTheWay =
    [
        "IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET", "AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_USERNAME", "AZURE_PASSWORD",
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_ROOT", "NO_GCE_CHECK", "CLOUDSDK_AUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
    ];

    private static readonly string[] ProxyExceptions = ["NO_PROXY", "no_proxy"];

    /// <summary>The variables of one client.</summary>
    /// <param name="plan">What is handed out.</param>
    /// <param name="host">Where.</param>
    /// <param name="folder">The broker's.</param>
    /// <param name="token">The client's token.</param>
    /// <param name="tokenFile">Where it stands in a file.</param>
    public static IReadOnlyDictionary<string, string> Of(BrokerPlan plan, BrokerHost host, BrokerFolder folder, string token, string tokenFile)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal) { [Broker] = host.SocketPath is { } path ? $"unix:{path}" : host.Address.AbsoluteUri, [TokenFile] = tokenFile };
        if (host.SocketPath is not null)
            return variables;   // no SDK of a cloud knows Unix sockets
        if (plan.AzureIdentities.Count > 0)
        {
            variables["IDENTITY_ENDPOINT"] = new Uri(host.Address, AppServiceEndpoint.Path).AbsoluteUri;
            variables["IDENTITY_HEADER"] = token;
            variables["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = host.Address.GetLeftPart(UriPartial.Authority);
            string?[] ids = [.. plan.AzureIdentities.Keys.Select(identity => identity.ClientId).Distinct()];
            if (ids is [{ } only])
                variables["AZURE_CLIENT_ID"] = only;   // by which SDKs ask that name none themselves
        }
        if (plan.AwsDefault is { } role)
        {
            variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = new Uri(host.Address, AwsContainerEndpoint.PathOf(role)).AbsoluteUri;
            variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = tokenFile;
            variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = token;   // older clients know no file; the others prefer it
            variables["AWS_EC2_METADATA_DISABLED"] = "true";
            // The user's own files go before a container's credentials.
            variables["AWS_CONFIG_FILE"] = folder.EmptyFile();
            variables["AWS_SHARED_CREDENTIALS_FILE"] = folder.EmptyFile();
        }
        if (plan.Google is not null)
        {
            variables["GCE_METADATA_HOST"] = host.Address.Authority;
            variables["GCE_METADATA_ROOT"] = host.Address.Authority;   // gcloud knows the old name alone
            variables["GCE_METADATA_IP"] = host.Address.Authority;
            variables[GoogleFolder] = folder.NewEmptyFolder();   // accounts of gcloud, and default credentials, go before the metadata server
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
        if (variables[Broker].StartsWith("unix:", StringComparison.Ordinal))
            return;   // no proxy is asked there
        // Programs read the one or the other: what was set in one alone has to stand in both.
        string? first = ProxyExceptions.Select(name => environment.TryGetValue(name, out string? hosts) ? hosts : null).FirstOrDefault(hosts => !string.IsNullOrEmpty(hosts));
        foreach (string name in ProxyExceptions)
        {
            string? own = environment.TryGetValue(name, out string? hosts) && hosts is { Length: > 0 } ? hosts : first;
            environment[name] = own is null ? "127.0.0.1,localhost" : $"{own},127.0.0.1,localhost";
        }
    }
}
