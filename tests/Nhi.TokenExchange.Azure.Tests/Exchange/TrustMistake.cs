namespace Nhi.TokenExchange.Tests;

/// <summary>One way to get a trust at Entra ID wrong.</summary>
/// <param name="Name">What was done wrong.</param>
/// <param name="Field">The field that the error has to name.</param>
/// <param name="Presented">What the error has to show as presented.</param>
/// <param name="Expected">What the error has to show as expected.</param>
/// <param name="Code">What Entra ID answers.</param>
internal sealed record TrustMistake(string Name, string Field, string Presented, string Expected, int Code)
{
    public const string GitHub = "https://token.actions.githubusercontent.com";
    public const string Branch = "repo:acme/orders:ref:refs/heads/main";
    public const string Audience = "api://AzureADTokenExchange";
    public const string IdentityIssuer = "https://login.microsoftonline.com/6f1c1f3e-0000-4000-8000-00000000cafe/v2.0";
    public const string ObjectId = "0b1c0000-0000-4000-8000-0000000000aa";

    private const string Credential = "a federated identity credential on application '6f1c1f3e-0000-4000-8000-00000000beef' whose";

    /// <summary>What the proof says.</summary>
    public string Issuer { get; init; } = GitHub;

    /// <summary>What the proof says.</summary>
    public string Subject { get; init; } = Branch;

    /// <summary>What the proof says.</summary>
    public string ProofAudience { get; init; } = Audience;

    /// <summary>What is registered.</summary>
    public string RegisteredIssuer { get; init; } = GitHub;

    /// <summary>What is registered.</summary>
    public string RegisteredSubject { get; init; } = Branch;

    /// <summary>What is registered.</summary>
    public string RegisteredAudience { get; init; } = Audience;

    /// <summary>When the proof is good, in seconds from now.</summary>
    public (int From, int To) Life { get; init; } = (0, 300);

    /// <summary>The scope that is asked for.</summary>
    public string Scope { get; init; } = "https://storage.azure.com/.default";

    /// <summary>What comes of it.</summary>
    public string Error { get; init; } = ErrorCodes.TrustMismatch;

    /// <summary>Whether a person's marks are in the proof.</summary>
    public bool IsAPersons { get; init; }

    /// <summary>The list: written before the code.</summary>
    public static IReadOnlyList<TrustMistake> All { get; } =
    [
        new("a slash too much at the end of the registered issuer", "Issuer", $"'{GitHub}'", $"{Credential} issuer is exactly that", 700211) { RegisteredIssuer = GitHub + "/" },
        new("a slash missing at the end of the registered issuer", "Issuer", "'https://gitlab.example/'", $"{Credential} issuer", 700211) { Issuer = "https://gitlab.example/", RegisteredIssuer = "https://gitlab.example" },
        new("another cluster's issuer", "Issuer", "'https://oidc.prod-aks.azure.com/b/'", $"{Credential} issuer", 700211) { Issuer = "https://oidc.prod-aks.azure.com/b/", RegisteredIssuer = "https://oidc.prod-aks.azure.com/a/", Subject = "system:serviceaccount:orders:loader", RegisteredSubject = "system:serviceaccount:orders:loader" },
        new("an issuer registered in other case", "Issuer", $"'{GitHub}'", $"{Credential} issuer", 700211) { RegisteredIssuer = "https://Token.actions.githubusercontent.com" },
        new("the v1 issuer of a managed identity", "Issuer", "'https://sts.windows.net/6f1c1f3e-0000-4000-8000-00000000cafe/'", $"{Credential} issuer", 700211) { Issuer = "https://sts.windows.net/6f1c1f3e-0000-4000-8000-00000000cafe/", RegisteredIssuer = IdentityIssuer, Subject = ObjectId, RegisteredSubject = ObjectId },
        new("another branch", "Subject", "'repo:acme/orders:ref:refs/heads/dev'", $"{Credential} subject is exactly that", 700213) { Subject = "repo:acme/orders:ref:refs/heads/dev" },
        new("an environment in the job, a branch registered", "Subject", "'repo:acme/orders:environment:prod'", $"{Credential} subject", 700213) { Subject = "repo:acme/orders:environment:prod" },
        new("a pull request", "Subject", "'repo:acme/orders:pull_request'", $"{Credential} subject", 700213) { Subject = "repo:acme/orders:pull_request" },
        new("a repository with ids in its subject", "Subject", "'repo:acme@101/orders@202:ref:refs/heads/main'", $"{Credential} subject", 700213) { Subject = "repo:acme@101/orders@202:ref:refs/heads/main" },
        new("a wildcard in the registered subject", "Subject", $"'{Branch}'", $"{Credential} subject", 700213) { RegisteredSubject = "repo:acme/orders:ref:refs/heads/*" },
        new("another service account", "Subject", "'system:serviceaccount:orders:default'", $"{Credential} subject", 700213) { Subject = "system:serviceaccount:orders:default", RegisteredSubject = "system:serviceaccount:orders:loader" },
        new("another namespace", "Subject", "'system:serviceaccount:default:loader'", $"{Credential} subject", 700213) { Subject = "system:serviceaccount:default:loader", RegisteredSubject = "system:serviceaccount:orders:loader" },
        new("the client id of a managed identity registered instead of its object id", "Subject", $"'{ObjectId}'", $"{Credential} subject", 700213) { Issuer = IdentityIssuer, RegisteredIssuer = IdentityIssuer, Subject = ObjectId, RegisteredSubject = "0b1c0000-0000-4000-8000-0000000000bb" },
        new("white space before the registered subject", "Subject", $"'{Branch}'", $"{Credential} subject", 700213) { RegisteredSubject = " " + Branch },
        new("the organization in other case", "Subject", "'repo:Acme/orders:ref:refs/heads/main'", $"{Credential} subject", 7002138) { Subject = "repo:Acme/orders:ref:refs/heads/main" },
        new("another service connection", "Subject", "'/eid1/c/pub/t/aaa/a/bbb/sc/x/y'", $"{Credential} subject", 7002137) { Issuer = IdentityIssuer, RegisteredIssuer = IdentityIssuer, Subject = "/eid1/c/pub/t/aaa/a/bbb/sc/x/y", RegisteredSubject = "/eid1/c/pub/t/aaa/a/bbb/sc/x/z" },
        new("another audience registered", "Audience", $"'{Audience}'", $"{Credential} audience is exactly that (asked for was '{Audience}')", 700212) { RegisteredAudience = "api://orders" },
        new("the audience of another cloud", "Audience", "'api://AzureADTokenExchangeUSGov'", $"{Credential} audience", 700212) { ProofAudience = "api://AzureADTokenExchangeUSGov" },
        new("no credential at all", "Issuer, subject and audience", $"issuer '{GitHub}', subject '{Branch}', audience '{Audience}'", $"{Credential} issuer, subject and audience are exactly these", 70021),
        new("a key that the issuer does not publish", "Key", $"key 'key-1' of issuer '{GitHub}', RS256", "a key that the issuer publishes in its jwks_uri", 700027),
        new("a signature that is none", "Key", $"key 'key-1' of issuer '{GitHub}'", "a signature by it", 50013) { Error = ErrorCodes.ProofRefused },
        new("a proof that has ended", "Times", "2025-12-31T23:58:20", "(ours: 2026-01-01T00:00:00", 700024) { Life = (-400, -100), Error = ErrorCodes.ProofRefused },
        new("a proof that is not good yet", "Times", "good from 2026-01-01T00:10:00", "(ours: 2026-01-01T00:00:00", 700024) { Life = (600, 900), Error = ErrorCodes.ProofRefused },
        new("a person's token as the proof", "Kind of token", "idtyp absent, scp there", "a token that an application got for itself", 700229) { Issuer = IdentityIssuer, RegisteredIssuer = IdentityIssuer, Subject = ObjectId, RegisteredSubject = ObjectId, IsAPersons = true },
        new("an application of another tenant", "Client id", "application '6f1c1f3e-0000-4000-8000-00000000beef' in tenant '6f1c1f3e-0000-4000-8000-00000000cafe'", "an enabled application of that client id in tenant", 700016),
        new("a disabled application", "Client id", "application '6f1c1f3e-0000-4000-8000-00000000beef'", "an enabled application", 7000112),
        new("a public client", "Client id", "application '6f1c1f3e-0000-4000-8000-00000000beef'", "that takes assertions", 700025),
        new("a tenant that is none", "Tenant", "'6f1c1f3e-0000-4000-8000-00000000cafe' at login.microsoftonline.com", "the id or a verified domain of a tenant of this cloud", 90002),
        new("a tenant of another cloud", "Cloud", "at login.microsoftonline.com", "the cloud that is asked", 90038),
        new("a resource that the tenant does not know", "Resource", "'https://orders.example'", "the App ID URI of an API that tenant", 500011) { Scope = "https://orders.example/.default" },
    ];

    /// <summary>The proof of the one who made the mistake.</summary>
    public string Proof() => Proofs.Of(
        ("iss", Issuer), ("sub", Subject), ("aud", ProofAudience), ("nbf", Proofs.Now.ToUnixTimeSeconds() + Life.From), ("iat", Proofs.Now.ToUnixTimeSeconds() + Life.From), ("exp", Proofs.Now.ToUnixTimeSeconds() + Life.To),
        ("scp", IsAPersons ? "user_impersonation" : null));

    public override string ToString() => $"{Code}, {Name}";
}
