using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange;

/// <summary>npm oidc-provider on a free port of 127.0.0.1.</summary>
internal sealed partial class OidcProviderServer : IAsyncDisposable
{
    public const string Resource = "https://warehouse.example/";
    public const string WorkloadIssuer = "https://workloads.example";

    private readonly NodeProgram _program;

    private OidcProviderServer(NodeProgram program, int port)
    {
        _program = program;
        Issuer = new Uri($"http://127.0.0.1:{port}");   // as it names itself, without a slash
    }

    public Uri Issuer { get; }

    /// <summary>Starts the server with the public keys of its clients and of the platform whose proofs it takes.</summary>
    public static async Task<OidcProviderServer> StartAsync(IReadOnlyDictionary<string, WorkloadKey> clients, WorkloadKey platform)
    {
        var setup = new JsonObject
        {
            ["clients"] = new JsonArray([.. clients.Select(client => new JsonObject { ["client_id"] = client.Key, ["jwks"] = client.Value.PublicJwks() })]),
            ["workloads"] = new JsonObject { ["issuer"] = WorkloadIssuer, ["jwks"] = platform.PublicJwks() },
            ["resources"] = new JsonArray(Resource),
            ["scopes"] = new JsonArray("read", "write"),
            ["lifetime"] = 600,
        };
        NodeProgram program = await NodeProgram.StartAsync("oidc-provider", ["oidc-provider.mjs"], setup.ToJsonString());
        try
        {
            return new OidcProviderServer(program, int.Parse(await program.WaitForAsync(Listening()), CultureInfo.InvariantCulture));
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _program.DisposeAsync();

    [GeneratedRegex("^port ([0-9]+)$")]
    private static partial Regex Listening();
}
