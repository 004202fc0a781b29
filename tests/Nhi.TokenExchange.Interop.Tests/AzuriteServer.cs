using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange;

/// <summary>npm Azurite, blobs only, over HTTPS and OAuth on a free port of 127.0.0.1, in memory. It looks at issuer, audience and life of a token, not at its signature.</summary>
internal sealed partial class AzuriteServer : IAsyncDisposable
{
    private readonly NodeProgram _program;
    private readonly X509Certificate2 _certificate;
    private readonly DirectoryInfo _folder;

    private AzuriteServer(NodeProgram program, string origin, X509Certificate2 certificate, DirectoryInfo folder)
    {
        _program = program;
        _certificate = certificate;
        _folder = folder;
        Origin = new Uri(origin);
    }

    public Uri Origin { get; }

    public Uri Account => new(Origin, "/devstoreaccount1");

    public static async Task<AzuriteServer> StartAsync()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("nhi-azurite-");
        X509Certificate2 certificate = Certificate();
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "cert.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "key.pem"), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        NodeProgram program = await NodeProgram.StartAsync("azurite",
        [
            Path.Combine("node_modules", "azurite", "dist", "src", "blob", "main.js"), "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--inMemoryPersistence",
            "--oauth", "basic", "--cert", Path.Combine(folder.FullName, "cert.pem"), "--key", Path.Combine(folder.FullName, "key.pem"), "--blobHost", "127.0.0.1", "--blobPort", "0",
        ]);
        try
        {
            return new AzuriteServer(program, await program.WaitForAsync(Listening()), certificate, folder);
        }
        catch
        {
            await program.KillAsync();
            folder.Delete(recursive: true);
            throw;
        }
    }

    /// <summary>A handler that trusts this server's certificate and no other.</summary>
    public HttpMessageHandler CreateHandler() => new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        SslOptions = { RemoteCertificateValidationCallback = (_, seen, _, _) => seen is not null && seen.GetRawCertData().AsSpan().SequenceEqual(_certificate.RawData) },
    };

    public async ValueTask DisposeAsync()
    {
        await _program.KillAsync();
        _certificate.Dispose();
        _folder.Delete(recursive: true);
    }

    private static X509Certificate2 Certificate()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    [GeneratedRegex("successfully listens on (https://[0-9.:]+)")]
    private static partial Regex Listening();
}
