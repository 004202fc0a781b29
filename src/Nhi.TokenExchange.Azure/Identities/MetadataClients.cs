using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Identity.Client;

namespace Nhi.TokenExchange;

/// <summary>Gives MSAL the clients for one acquisition: all go through one conversation, and so by our rules.</summary>
internal sealed class MetadataClients(AzureManagedIdentityId id, TimeProvider time, HttpMessageHandler? wire, bool mayStart = false) : IMsalSFHttpClientFactory, IDisposable
{
    // One for the process: its connections are few, idle ones go after a minute.
    private static readonly Lazy<HttpMessageHandler> Shared = new(() => MetadataWire.Sockets());

    private readonly List<IDisposable> _made = [];

    /// <summary>What the last client of MSAL said and heard.</summary>
    public MetadataConversation? Conversation { get; private set; }

    public HttpClient GetHttpClient() => Over(new HttpMessageInvoker(wire ?? Shared.Value, disposeHandler: false));

    /// <summary>For Service Fabric, whose certificate MSAL verifies by the thumbprint that the platform declares.</summary>
    public HttpClient GetHttpClient(Func<HttpRequestMessage, X509Certificate2, X509Chain, SslPolicyErrors, bool> validateServerCert)
    {
        if (wire is not null)
            return GetHttpClient();
        SocketsHttpHandler sockets = MetadataWire.Sockets();
        sockets.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => certificate is X509Certificate2 server && validateServerCert(null!, server, chain!, errors);
        return Over(new HttpMessageInvoker(sockets, disposeHandler: true));
    }

    public void Dispose() => _made.ForEach(made => made.Dispose());

    private HttpClient Over(HttpMessageInvoker invoker)
    {
        Conversation = new MetadataConversation(invoker, id, time, mayStart);
        var client = new HttpClient(Conversation, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };   // the conversation keeps the time
        _made.AddRange([client, invoker]);
        return client;
    }
}
