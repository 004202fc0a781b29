using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>A job with one target that works: settings in a file, a proof in another, an emulator that trusts it. A test plants one fault, and lets doctor look.</summary>
internal sealed class DoctoredJob : IAsyncDisposable
{
    public const string Subject = "system:serviceaccount:jobs:orders-nightly";
    public const string ClientId = "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nhi-doctor-");

    private DoctoredJob(IdentityEmulator emulator)
    {
        Emulator = emulator;
        Section = new JsonObject
        {
            ["Job"] = new JsonObject { ["Pipeline"] = "orders-nightly", ["Dataset"] = "orders", ["FromRuntime"] = "false" },
            ["Identities"] = new JsonObject { ["job"] = new JsonObject { ["Source"] = "OidcFile", ["Path"] = Proof } },
            ["Targets"] = new JsonObject { ["warehouse"] = new JsonObject() },
        };
    }

    public IdentityEmulator Emulator { get; }

    /// <summary>The section <c>TokenExchange</c>, as it will be written.</summary>
    public JsonObject Section { get; }

    public JsonObject Target
    {
        get => (JsonObject)Section["Targets"]!["warehouse"]!;
        set => Section["Targets"]!["warehouse"] = value;
    }

    public JsonObject IdentityEntry => (JsonObject)Section["Identities"]!["job"]!;

    public string Proof => PathOf("proof");

    public static async Task<DoctoredJob> StartAsync(TimeProvider? clock = null)
    {
        // No RSA key has to be found for each test.
        IdentityEmulator emulator = await IdentityEmulator.StartAsync(o =>
        {
            o.ProofAlgorithm = o.EntraAlgorithm = "ES256";
            o.Time = clock ?? o.Time;
        });
        return new DoctoredJob(emulator);
    }

    /// <summary>A Databricks workspace that trusts the job; its proof lies there.</summary>
    public ServicePrincipal UseDatabricks(string subject = Subject, ProofShape shape = ProofShape.Kubernetes, Action<ProofClaims>? change = null)
    {
        ServicePrincipal principal = Emulator.Databricks.AddServicePrincipal(ClientId, subject, "sql");
        Target = new JsonObject { ["Identity"] = "job", ["Exchange"] = "Databricks", ["Host"] = Emulator.Databricks.Host.OriginalString, ["ClientId"] = ClientId, ["Scopes"] = new JsonArray("sql") };
        Emulator.JobIdentity(shape, subject).WriteProofFile(Proof, Emulator.Databricks.TokenEndpoint.OriginalString, change);
        return principal;
    }

    /// <summary>A role of Vault: what it gives can be revoked, by its handle too.</summary>
    public void UseVault()
    {
        Emulator.Vault.AddRole("orders", Subject);
        string server = Emulator.Vault.Address.OriginalString.TrimEnd('/');
        Target = new JsonObject { ["Identity"] = "job", ["Exchange"] = "VaultLogin", ["Server"] = server, ["Role"] = "orders" };
        Emulator.JobIdentity(ProofShape.Kubernetes, Subject).WriteProofFile(Proof, server);
    }

    /// <summary>A role of AWS, of which sessions are given.</summary>
    public AwsRole UseAws()
    {
        AwsRole role = Emulator.Aws.AddRole("orders", Subject);
        Target = new JsonObject { ["Identity"] = "job", ["Exchange"] = "AwsSts", ["RoleArn"] = role.Arn, ["Region"] = "eu-central-1", ["Endpoint"] = Emulator.Aws.Endpoint.OriginalString.TrimEnd('/') };
        Emulator.JobIdentity(ProofShape.Kubernetes, Subject).WriteProofFile(Proof, "sts.amazonaws.com");
        return role;
    }

    /// <summary>An Entra application; the caller says what it trusts.</summary>
    public EntraApplication UseEntra(string subject, ProofShape shape)
    {
        EntraApplication application = Emulator.Entra.AddApplication();
        File.WriteAllText(PathOf("roots.pem"), Emulator.CertificatePem);
        Section["TrustRoots"] = PathOf("roots.pem");
        IdentityEntry["ActsFor"] = "Workload";   // the emulator's address is not the platform's
        Target = new JsonObject
        {
            ["Identity"] = "job", ["Exchange"] = "Entra", ["TenantId"] = Emulator.Entra.TenantId, ["ClientId"] = application.ClientId, ["AuthorityHost"] = Emulator.Entra.Authority.OriginalString.TrimEnd('/'),
            ["Scopes"] = new JsonArray($"{Emulator.AzureResource.Resource}/.default"), ["AllowedOrigins"] = new JsonArray(new Uri(Emulator.AzureResource.Address, "/").OriginalString.TrimEnd('/')),
        };
        Emulator.JobIdentity(shape, subject).WriteProofFile(Proof, Emulator.Entra.ExchangeAudience);
        return application;
    }

    /// <summary>Makes the file's permissions such that nobody else can write it.</summary>
    public string Write(string name, string text)
    {
        string path = PathOf(name);
        File.WriteAllText(path, text);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Writes the settings.</summary>
    /// <returns>Their file.</returns>
    public string WriteSettings() => Write("appsettings.json", new JsonObject { ["TokenExchange"] = Section.DeepClone() }.ToJsonString());

    public async Task<Findings> DoctorAsync(params string[] more) => Findings.Of(await ToolRun.HereAsync(["doctor", "--json", "--config", WriteSettings(), .. more]));

    public async ValueTask DisposeAsync()
    {
        await Emulator.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
