namespace Nhi.TokenExchange;

/// <summary>The ports of the roles. Each role has an origin of its own, so that checks of origins have something to see.</summary>
internal sealed record EmulatorPorts(string Host, IReadOnlyList<int> All)
{
    /// <summary>How many ports there are; the last <see cref="Secure"/> of them speak TLS.</summary>
    public const int Count = 12;

    public const int Secure = 3;

    public int Issuer => All[0];

    public int Authorization => All[1];

    public int Databricks => All[2];

    public int Warehouse => All[3];

    public int ManagedIdentity => All[4];

    public int Vault => All[5];

    public int DecisionPoint => All[6];

    public int Aws => All[7];

    public int Google => All[8];

    public int Entra => All[9];

    public int AzureResource => All[10];

    public int KeyVault => All[11];

    // The two OAuth issuers have a path, so that RFC 8414's insertion and OIDC's appending of the well-known part differ.
    public string IssuerIdentifier => $"http://{Host}:{Issuer}/issuer";

    public string AuthorizationIdentifier => $"http://{Host}:{Authorization}/as";

    public string DatabricksOrigin => $"http://{Host}:{Databricks}";

    public string WarehouseOrigin => $"http://{Host}:{Warehouse}";

    public string ManagedIdentityOrigin => $"http://{Host}:{ManagedIdentity}";

    public string VaultOrigin => $"http://{Host}:{Vault}";

    public string DecisionPointOrigin => $"http://{Host}:{DecisionPoint}";

    public string AwsOrigin => $"http://{Host}:{Aws}";

    public string GoogleOrigin => $"http://{Host}:{Google}";

    // By name: SDKs that compare host names of authorities are used to names.
    public string EntraOrigin => $"https://localhost:{Entra}";

    public string AzureResourceOrigin => $"https://localhost:{AzureResource}";

    public string KeyVaultOrigin => $"https://localhost:{KeyVault}";

    public bool Has(int port) => All.Contains(port);
}
