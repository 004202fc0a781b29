namespace Nhi.TokenExchange.Tests;

/// <summary>The variables by which a host declares its managed identity, as they are on one kind of host, until disposed. MSAL reads those of the process.</summary>
internal sealed class HostVariables : IDisposable
{
    private static readonly string[] All =
    [
        "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET", "DEFAULT_IDENTITY_CLIENT_ID", "AZURE_POD_IDENTITY_AUTHORITY_HOST", "AZURE_FEDERATED_TOKEN_FILE",
    ];

    private readonly Dictionary<string, string?> _before = All.ToDictionary(name => name, Environment.GetEnvironmentVariable);

    private HostVariables(params (string Name, string Value)[] set)
    {
        foreach (string name in All)
            Environment.SetEnvironmentVariable(name, null);
        foreach ((string name, string value) in set)
            Environment.SetEnvironmentVariable(name, value);
    }

    public static HostVariables VirtualMachine() => new();

    public static HostVariables AppService() => new(("IDENTITY_ENDPOINT", "http://127.0.0.1:4141/msi/token"), ("IDENTITY_HEADER", "header-1"));

    public static HostVariables ServiceFabric() => new(("IDENTITY_ENDPOINT", "https://127.0.0.1:2377/metadata/identity/oauth2/token"), ("IDENTITY_HEADER", "header-1"), ("IDENTITY_SERVER_THUMBPRINT", "ab"));

    public static HostVariables Arc() => new(("IDENTITY_ENDPOINT", "http://127.0.0.1:40342/metadata/identity/oauth2/token"), ("IMDS_ENDPOINT", "http://127.0.0.1:40342"));

    public static HostVariables MachineLearning(string? identity = "0b1c0000-0000-4000-8000-0000000000bb") =>
        identity is null ? new(("MSI_ENDPOINT", "http://127.0.0.1:46808/MSI/auth"), ("MSI_SECRET", "header-1")) : new(("MSI_ENDPOINT", "http://127.0.0.1:46808/MSI/auth"), ("MSI_SECRET", "header-1"), ("DEFAULT_IDENTITY_CLIENT_ID", identity));

    public static HostVariables CloudShell() => new(("MSI_ENDPOINT", "http://localhost:50342/oauth2/token"));

    public static HostVariables Pod() => new(("AZURE_FEDERATED_TOKEN_FILE", "/var/run/secrets/azure/wi/token/azure-identity-token"));

    public static HostVariables Of(IReadOnlyDictionary<string, string> variables) => new([.. variables.Select(variable => (variable.Key, variable.Value))]);

    public static HostVariables Named(string kind) => kind switch
    {
        "vm" => VirtualMachine(), "app service" => AppService(), "service fabric" => ServiceFabric(), "arc" => Arc(), "ml" => MachineLearning(), "cloud shell" => CloudShell(), _ => throw new ArgumentException(kind),
    };

    public void Dispose()
    {
        foreach ((string name, string? value) in _before)
            Environment.SetEnvironmentVariable(name, value);
    }
}
