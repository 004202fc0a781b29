using System.Buffers.Text;
using System.Net;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>An emulator on a manual clock with one job that an Entra application trusts.</summary>
internal abstract class AzureFixture
{
    protected const string ExchangeAudience = "api://AzureADTokenExchange";
    protected const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    protected ManualTimeProvider Clock { get; private set; } = null!;

    protected IdentityEmulator Emulator { get; private set; } = null!;

    protected RawClient Raw { get; private set; } = null!;

    protected JobIdentity Job { get; private set; } = null!;

    protected EntraApplication Application { get; private set; } = null!;

    protected string Scope => Emulator.AzureResource.Resource + "/.default";

    [SetUp]
    public async Task StartAsync()
    {
        Clock = new ManualTimeProvider();
        Emulator = await IdentityEmulator.StartAsync(o =>
        {
            o.Time = Clock;
            o.ProofAlgorithm = "ES256";   // no RSA keys per test; RS256 has a test of its own
            o.EntraAlgorithm = "ES256";
        });
        Raw = new RawClient(Emulator.CreateHandler());
        Job = Emulator.JobIdentity(ProofShape.GitHub);
        Application = Emulator.Entra.AddApplication().Trust(Job);
    }

    [TearDown]
    public async Task StopAsync()
    {
        Raw.Dispose();
        await Emulator.DisposeAsync();
    }

    protected Uri TokenEndpoint(string? tenant = null) => new(Emulator.Entra.Authority, $"{tenant ?? Emulator.Entra.TenantId}/oauth2/v2.0/token");

    /// <summary>The honest request; a field that is given again is replaced, one that is given as null left out.</summary>
    protected Task<RawAnswer> AskAsync(string? assertion = null, string? tenant = null, params (string Name, string? Value)[] changed)
    {
        Dictionary<string, string?> form = new()
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = Application.ClientId,
            ["scope"] = Scope,
            ["client_assertion_type"] = AssertionType,
            ["client_assertion"] = assertion ?? Job.Mint(ExchangeAudience),
        };
        foreach ((string name, string? value) in changed)
            form[name] = value;
        return Raw.PostAsync(TokenEndpoint(tenant), form.Where(field => field.Value is not null).Select(field => (field.Key, field.Value!)));
    }

    protected async Task<string> TokenAsync(params (string Name, string? Value)[] changed)
    {
        RawAnswer answer = await AskAsync(changed: changed);
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.OK), answer.Body);
        return answer.Token;
    }

    protected Task<RawAnswer> ImdsAsync(string query, params (string Name, string Value)[] headers) =>
        Raw.SendAsync(HttpMethod.Get, new Uri($"{Emulator.ManagedIdentity.EndpointOf(ManagedIdentityHost.Imds)}?api-version=2018-02-01&{query}"), null, [("Metadata", "true"), .. headers]);

    protected static JsonElement ClaimsOf(string token) => JsonDocument.Parse(Base64Url.DecodeFromChars(token.Split('.')[1])).RootElement;

    protected static string? Claim(string token, string name) => ClaimsOf(token).TryGetProperty(name, out JsonElement value) ? value.ToString() : null;
}
