namespace Nhi.TokenExchange;

/// <summary>An emulator on a manual clock with one job, one client and one service principal.</summary>
internal abstract class EmulatorFixture
{
    protected const string AppId = "5a5a0000-0000-4000-8000-00000000beef";

    protected ManualTimeProvider Clock { get; private set; } = null!;

    protected IdentityEmulator Emulator { get; private set; } = null!;

    protected RawClient Raw { get; private set; } = null!;

    protected JobIdentity Job { get; private set; } = null!;

    protected RegisteredClient Client { get; private set; } = null!;

    protected string Audience => Emulator.Authorization.Issuer.OriginalString;

    [SetUp]
    public async Task StartAsync()
    {
        Clock = new ManualTimeProvider();
        Emulator = await IdentityEmulator.StartAsync(o =>
        {
            o.Time = Clock;
            o.ProofAlgorithm = "ES256";   // no RSA key per test; RS256 has tests of its own
        });
        Raw = new RawClient();
        Job = Emulator.JobIdentity(ProofShape.GitHub);
        Client = Emulator.Authorization.AddClient("job", Job.Subject, "dataset:orders", "dataset:customers");
        Emulator.Databricks.AddServicePrincipal(AppId, Job.Subject);
    }

    [TearDown]
    public async Task StopAsync()
    {
        Raw.Dispose();
        await Emulator.DisposeAsync();
    }

    protected Task<RawAnswer> ExchangeAsync(string proof, params IEnumerable<(string Name, string Value)> more) =>
        Raw.PostAsync(Emulator.Authorization.TokenEndpoint, [("grant_type", RawClient.Exchange), ("client_id", "job"), ("subject_token", proof), ("subject_token_type", RawClient.JwtType), .. more]);

    protected async Task<string> TokenAsync(string scope = "dataset:orders") => (await ExchangeAsync(Job.Mint(Audience), ("scope", scope))).Token;

    protected Task<RawAnswer> DatabricksAsync(string proof, params IEnumerable<(string Name, string Value)> more) =>
        Raw.PostAsync(Emulator.Databricks.TokenEndpoint, [("grant_type", RawClient.Exchange), ("client_id", AppId), ("subject_token", proof), ("subject_token_type", RawClient.JwtType), ("scope", "sql"), .. more]);

    protected string DatabricksProof(Action<ProofClaims>? change = null) => Job.Mint(Emulator.Databricks.TokenEndpoint.OriginalString, change);

    protected Task<RawAnswer> RowsAsync(string? token, string dataset = "orders") =>
        Raw.GetAsync(new Uri(Emulator.Warehouse.Address, $"/api/datasets/{dataset}/rows?from=0&count=2"), token);
}
