namespace Nhi.TokenExchange.Soak;

/// <summary>The fourteen targets of each job: what is asked, by which proof, and where a fault would meet it.</summary>
/// <param name="Name">As the job names it.</param>
/// <param name="Kind">How it is exchanged.</param>
/// <param name="Proof">Where its proof comes from.</param>
internal sealed record SoakTarget(string Name, ExchangeKind Kind, ProofKind Proof)
{
    private const string VaultLogin = "vault";

    /// <summary>How long before its end a credential of an authorization server or of Entra is handed out no more.</summary>
    public static readonly TimeSpan Margin = TimeSpan.FromSeconds(3);

    /// <summary>The workspace refuses the last 30 seconds of a life.</summary>
    public static readonly TimeSpan DatabricksMargin = TimeSpan.FromSeconds(32);

    public static IReadOnlyList<SoakTarget> All { get; } =
    [
        new("rfc-discovered", ExchangeKind.Rfc8693Discovered, ProofKind.File),
        new("rfc-opaque", ExchangeKind.Rfc8693, ProofKind.File),
        new("rfc-jwt", ExchangeKind.Rfc8693Jwt, ProofKind.File),
        new("rfc-ci", ExchangeKind.Rfc8693, ProofKind.Ci),
        new("hop", ExchangeKind.Hop, ProofKind.Hop),
        new("jwt-bearer", ExchangeKind.JwtBearer, ProofKind.Ci),
        new("jwt-bearer-2", ExchangeKind.JwtBearer, ProofKind.Ci),
        new("dbx", ExchangeKind.Databricks, ProofKind.File),
        new("dbx-ci", ExchangeKind.Databricks, ProofKind.Ci),
        new("dbx-grant", ExchangeKind.DatabricksJwtBearer, ProofKind.File),
        new("entra", ExchangeKind.Entra, ProofKind.File),
        new("entra-2", ExchangeKind.Entra, ProofKind.File),
        new(VaultLogin, ExchangeKind.VaultLogin, ProofKind.File),
        new("vault-secret", ExchangeKind.VaultSecret, ProofKind.Hop),
    ];

    /// <summary>Through which target one goes whose proof is a hop's.</summary>
    public string Through => Kind == ExchangeKind.VaultSecret ? VaultLogin : "rfc-opaque";

    public bool IsVault => Kind is ExchangeKind.VaultLogin or ExchangeKind.VaultSecret;

    public bool IsDatabricks => Kind is ExchangeKind.Databricks or ExchangeKind.DatabricksJwtBearer;

    /// <summary>Whether its issuer ends a credential when it is asked to.</summary>
    public bool IsRevocable => !IsDatabricks && Kind != ExchangeKind.Entra;

    public TimeSpan UsableMargin => IsDatabricks ? DatabricksMargin : Margin;

    /// <summary>What is asked for; of Vault, nothing beside the path.</summary>
    public string Scope => Kind == ExchangeKind.Entra ? "https://vault.azure.net/.default" : IsDatabricks ? "sql" : "dataset:orders";

    public ChaosPlace TokenEndpoint => IsDatabricks ? ChaosPlace.Databricks : Kind == ExchangeKind.Entra ? ChaosPlace.Entra : IsVault ? ChaosPlace.Vault : ChaosPlace.Authorization;

    public static SoakTarget Named(string name) => All.Single(target => target.Name == name);

    /// <summary>Whether a fault at that place can be felt by callers of this target.</summary>
    public bool IsReachedBy(ChaosPlace place) => place switch
    {
        ChaosPlace.Discovery => Kind == ExchangeKind.Rfc8693Discovered,
        ChaosPlace.ProofRequest => Proof == ProofKind.Ci,
        ChaosPlace.Files => Proof is ProofKind.File or ProofKind.Hop,
        // Vault renews where it revokes.
        ChaosPlace.Revocation => IsVault,
        ChaosPlace.Callers => false,
        ChaosPlace.Policy or ChaosPlace.Clock or ChaosPlace.Audit or ChaosPlace.Process => true,
        _ => place == TokenEndpoint,
    };
}

internal enum ExchangeKind
{
    Rfc8693Discovered,
    Rfc8693,
    Rfc8693Jwt,
    Hop,
    JwtBearer,
    Databricks,
    DatabricksJwtBearer,
    Entra,
    VaultLogin,
    VaultSecret,
}

internal enum ProofKind
{
    /// <summary>A file that is renewed like a projected token.</summary>
    File,

    /// <summary>The CI endpoint, which makes a new one each time.</summary>
    Ci,

    /// <summary>The credential of another target.</summary>
    Hop,
}
