using Azure.Core;
using Azure.Core.Pipeline;

namespace Nhi.TokenExchange;

/// <summary>Azure.Core's bearer policy on a reused message with nothing behind it: what an Azure client pays per request for its token, header included.</summary>
public sealed class AzureCorePolicy
{
    private readonly ReadOnlyMemory<HttpPipelinePolicy> _rest = new HttpPipelinePolicy[] { new Nothing() };
    private readonly BearerTokenAuthenticationPolicy _policy;
    private readonly HttpMessage _message;

    public AzureCorePolicy(TokenCredential credential)
    {
        _policy = new BearerTokenAuthenticationPolicy(credential, MicrosoftPeers.Scopes[0]);
        _message = NewMessage();
    }

    /// <summary>One request at a time: the message is shared.</summary>
    public ValueTask AuthorizeAsync() => _policy.ProcessAsync(_message, _rest);

    /// <summary>One of many requests at a time.</summary>
    public ValueTask AuthorizeNewAsync() => _policy.ProcessAsync(NewMessage(), _rest);

    private static HttpMessage NewMessage()
    {
        Request request = HttpClientTransport.Shared.CreateRequest();
        request.Uri.Reset(new Uri("https://resource.example/"));
        return new HttpMessage(request, ResponseClassifier.Shared) { Response = new AcceptedResponse() };
    }

    private sealed class ResponseClassifier : Azure.Core.ResponseClassifier
    {
        public static ResponseClassifier Shared { get; } = new();
    }

    private sealed class Nothing : HttpPipelinePolicy
    {
        public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
        {
        }

        public override ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => default;
    }
}
