using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>npm oidc-provider in a Node process of its own, on a free port of 127.0.0.1. Ended by its handle.</summary>
/// <remarks>Installed beforehand: <c>npm ci --ignore-scripts --prefix tests/Nhi.TokenExchange.Interop.Tests/oidc-provider</c>.</remarks>
internal sealed class OidcProviderServer : IAsyncDisposable
{
    public const string Resource = "https://warehouse.example/";
    public const string WorkloadIssuer = "https://workloads.example";

    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(5);

    private readonly Process _process;

    private OidcProviderServer(Process process, int port)
    {
        _process = process;
        Issuer = new Uri($"http://127.0.0.1:{port}");   // as it names itself, without a slash
    }

    public Uri Issuer { get; }

    /// <summary>Starts the server with the public keys of its clients and of the platform whose proofs it takes.</summary>
    public static async Task<OidcProviderServer> StartAsync(IReadOnlyDictionary<string, WorkloadKey> clients, WorkloadKey platform)
    {
        string folder = RequireInstalled();
        var setup = new JsonObject
        {
            ["clients"] = new JsonArray([.. clients.Select(client => new JsonObject { ["client_id"] = client.Key, ["jwks"] = client.Value.PublicJwks() })]),
            ["workloads"] = new JsonObject { ["issuer"] = WorkloadIssuer, ["jwks"] = platform.PublicJwks() },
            ["resources"] = new JsonArray(Resource),
            ["scopes"] = new JsonArray("read", "write"),
            ["lifetime"] = 600,
        };
        Process process = StartNode(folder, "server.mjs");
        try
        {
            await process.StandardInput.WriteLineAsync(setup.ToJsonString());
            await process.StandardInput.FlushAsync();
            return new OidcProviderServer(process, await PortOfAsync(process));
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            process.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();   // it ends when its input ends
            using var deadline = new CancellationTokenSource(StopDeadline);
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }
        finally
        {
            _process.Dispose();
        }
    }

    private static async Task<int> PortOfAsync(Process process)
    {
        using var deadline = new CancellationTokenSource(StartDeadline);
        while (await process.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
        {
            if (!line.StartsWith("port ", StringComparison.Ordinal))
                continue;   // its own warnings
            _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);   // a full pipe would stop it
            return int.Parse(line.AsSpan("port ".Length), CultureInfo.InvariantCulture);
        }
        throw new InvalidOperationException("oidc-provider ended before it listened.");
    }

    private static Process StartNode(string folder, params string[] arguments)
    {
        var process = new Process
        {
            StartInfo = new ProcessStartInfo("node", arguments)
            {
                WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
            },
        };
        process.ErrorDataReceived += (_, line) => TestContext.Progress.WriteLine(line.Data);
        process.Start();
        process.BeginErrorReadLine();
        return process;
    }

    // Where the checkout is built, its folder lies above the binaries.
    private static string RequireInstalled()
    {
        string? folder = null;
        for (DirectoryInfo? above = new(AppContext.BaseDirectory); above is not null && folder is null; above = above.Parent)
        {
            string candidate = Path.Combine(above.FullName, "oidc-provider");
            folder = File.Exists(Path.Combine(candidate, "server.mjs")) ? candidate : null;
        }
        if (folder is null)
            Missing("the folder oidc-provider was not found above the test binaries");
        if (!Directory.Exists(Path.Combine(folder!, "node_modules", "oidc-provider")))
            Missing("oidc-provider is not installed; run: npm ci --ignore-scripts --prefix tests/Nhi.TokenExchange.Interop.Tests/oidc-provider");
        if (!IsOnPath("node"))
            Missing("Node.js 20 or newer is not on the path");
        return folder!;
    }

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)) || File.Exists(Path.Combine(folder, program + ".exe")));

    // A skip that nobody reads proves nothing: under CI it is a failure.
    private static void Missing(string what)
    {
        if (Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail($"Under CI nothing is skipped: {what}.");
        Assert.Ignore($"Skipped: {what}.");
    }
}
