using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Nhi.TokenExchange;

/// <summary>Cerbos, a policy decision point of somebody else's, as it is published: AuthZEN on a free port of 127.0.0.1, with policies from a folder. Ended by its handle.</summary>
/// <remarks>Its rules see the properties of subject (<c>P.attr</c>) and resource (<c>R.attr</c>), and nothing of action and context.</remarks>
internal sealed class CerbosServer : IAsyncDisposable
{
    private const int Starts = 5;

    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly DirectoryInfo _folder;

    private CerbosServer(Process process, DirectoryInfo folder, Uri address)
    {
        _process = process;
        _folder = folder;
        Address = address;
    }

    /// <summary>As its metadata names it.</summary>
    public Uri Address { get; }

    /// <summary>Starts it with one resource policy, in YAML.</summary>
    public static async Task<CerbosServer> StartAsync(string policy)
    {
        string program = Path.Combine(NodeProgram.RequireInstalled("@cerbos/cerbos-linux-x64"), "node_modules", "@cerbos", "cerbos-linux-x64", "cerbos-linux-x64");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("nhi-cerbos-");
        string policies = folder.CreateSubdirectory("policies").FullName, configuration = Path.Combine(folder.FullName, "conf.yaml");
        await File.WriteAllTextAsync(Path.Combine(policies, "target.yaml"), policy);
        for (int start = 1; ; start++)
        {
            int port = FreePort();
            await File.WriteAllTextAsync(configuration, $"server: {{ httpListenAddr: \"127.0.0.1:{port}\", grpcListenAddr: \"127.0.0.1:{FreePort()}\" }}\nstorage: {{ driver: disk, disk: {{ directory: \"{policies}\" }} }}\ntelemetry: {{ disabled: true }}\n");
            var server = new CerbosServer(Run(program, configuration), folder, new Uri($"http://127.0.0.1:{port}"));
            if (await server.IsReadyAsync())
                return server;
            // Somebody else took the port meanwhile, or it ended for another reason: then it does so again.
            await server.StopAsync();
            if (start == Starts)
                throw new InvalidOperationException("Cerbos did not start; what it said is in the test's output.");
        }
    }

    public async Task StopAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private static Process Run(string program, string configuration)
    {
        var process = new Process { StartInfo = new ProcessStartInfo(program, ["server", "--config", configuration]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false } };
        process.OutputDataReceived += (_, line) => TestContext.Progress.WriteLine(line.Data);
        process.ErrorDataReceived += (_, line) => TestContext.Progress.WriteLine(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private async Task<bool> IsReadyAsync()
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var deadline = new CancellationTokenSource(StartDeadline);
        while (!_process.HasExited)
        {
            try
            {
                using HttpResponseMessage health = await http.GetAsync(new Uri(Address, "/_cerbos/health"), deadline.Token);
                if (health.IsSuccessStatusCode)
                    return !_process.HasExited;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, deadline.Token);
            }
        }
        return false;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
