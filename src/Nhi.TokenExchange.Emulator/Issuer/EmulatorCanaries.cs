using System.Security.Cryptography;

namespace Nhi.TokenExchange;

/// <summary>Random markers inside every secret of this emulator, one per kind: a leak scan searches logs, files and dumps for them.</summary>
/// <remarks>Opaque tokens hold theirs in plain text; in JWTs it stands in the claim <c>jti</c> (Entra: <c>uti</c>), so a scan has to look for the base64url forms too.</remarks>
public sealed class EmulatorCanaries
{
    internal EmulatorCanaries()
    {
    }

    /// <summary>In every proof.</summary>
    public string Proof { get; } = Make("proof");

    /// <summary>In every request token of a CI endpoint.</summary>
    public string RequestToken { get; } = Make("request");

    /// <summary>In every access token of the authorization server.</summary>
    public string Authorization { get; } = Make("authz");

    /// <summary>In every access token of the Databricks-style workspace.</summary>
    public string Databricks { get; } = Make("dbx");

    /// <summary>In every access token of Entra, managed identities' included.</summary>
    public string Entra { get; } = Make("entra");

    /// <summary>In every secret of a managed identity host: the identity header and Azure Arc's key files.</summary>
    public string ManagedIdentity { get; } = Make("msi");

    /// <summary>In every token and every secret of Vault.</summary>
    public string Vault { get; } = Make("vault");

    /// <summary>In every secret access key and every session token of AWS.</summary>
    public string Aws { get; } = Make("aws");

    /// <summary>In every access token of Google Cloud.</summary>
    public string Google { get; } = Make("google");

    /// <summary>In every bearer of a resource server.</summary>
    public string ResourceServer { get; } = Make("rs");

    private static string Make(string kind) => $"canary{kind}{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
}
