using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>git's own server (git http-backend) behind a Kestrel that takes a user name and a token (RFC 7617), with one repository.</summary>
internal sealed class GitServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nhi-git-");
    private readonly Func<string, bool> _isGood;
    private readonly Lock _gate = new();
    private readonly List<(string User, string Token)> _seen = [];

    private GitServer(Func<string, bool> isGood)
    {
        _isGood = isGood;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _application = builder.Build();
        _application.Run(AnswerAsync);
    }

    public Uri Address => new(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    public string Repository => $"{Address}orders.git";

    /// <summary>Who came, in order, each once.</summary>
    public IReadOnlyList<(string User, string Token)> Seen
    {
        get
        {
            lock (_gate)
                return [.. _seen.Distinct()];
        }
    }

    public static async Task<GitServer> StartAsync(Func<string, bool> isGood)
    {
        var server = new GitServer(isGood);
        string repository = Path.Combine(server._folder.FullName, "orders.git");
        await RunAsync("init", "--quiet", "--bare", "--initial-branch=main", repository);
        await RunAsync("-C", repository, "config", "http.receivepack", "true");
        await server._application.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task AnswerAsync(HttpContext http)
    {
        if (Credentials(http.Request) is not { } one || !_isGood(one.Token))
        {
            http.Response.StatusCode = 401;
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"code\"";
            return;
        }
        lock (_gate)
            _seen.Add(one);
        // RFC 3875.
        var start = new ProcessStartInfo("git", ["http-backend"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach ((string name, string? value) in new (string, string?)[]
        {
            ("GIT_PROJECT_ROOT", _folder.FullName), ("GIT_HTTP_EXPORT_ALL", "1"), ("PATH_INFO", http.Request.Path), ("QUERY_STRING", http.Request.QueryString.Value!.TrimStart('?')), ("REQUEST_METHOD", http.Request.Method),
            ("CONTENT_TYPE", http.Request.ContentType), ("CONTENT_LENGTH", http.Request.ContentLength?.ToString(CultureInfo.InvariantCulture)), ("HTTP_CONTENT_ENCODING", http.Request.Headers.ContentEncoding), ("GIT_PROTOCOL", http.Request.Headers["Git-Protocol"]),
            ("REMOTE_USER", one.User), ("REMOTE_ADDR", "127.0.0.1"), ("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "safe.directory"), ("GIT_CONFIG_VALUE_0", "*"),
        })
        {
            start.Environment[name] = value ?? "";
        }
        using Process git = Process.Start(start)!;
        await http.Request.Body.CopyToAsync(git.StandardInput.BaseStream);
        git.StandardInput.Close();
        using var said = new MemoryStream();
        await git.StandardOutput.BaseStream.CopyToAsync(said);
        await git.WaitForExitAsync();
        byte[] bytes = said.ToArray();
        int end = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
        foreach (string line in Encoding.ASCII.GetString(bytes, 0, end).Split("\r\n"))
        {
            string[] header = line.Split(": ", 2);
            if (header[0] == "Status")
                http.Response.StatusCode = int.Parse(header[1].AsSpan(0, 3), CultureInfo.InvariantCulture);
            else
                http.Response.Headers[header[0]] = header[1];
        }
        await http.Response.Body.WriteAsync(bytes.AsMemory(end + 4));
    }

    private static (string User, string Token)? Credentials(HttpRequest request) =>
        request.Headers.Authorization.ToString() is { } header && header.StartsWith("Basic ", StringComparison.Ordinal) && Encoding.UTF8.GetString(Convert.FromBase64String(header["Basic ".Length..])).Split(':', 2) is [var user, var token] ? (user, token) : null;

    private static async Task RunAsync(params string[] arguments)
    {
        using Process git = Process.Start("git", arguments);
        await git.WaitForExitAsync();
        Assert.That(git.ExitCode, Is.Zero, string.Join(' ', arguments));
    }
}
