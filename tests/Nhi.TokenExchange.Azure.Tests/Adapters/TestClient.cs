using Azure.Core;
using Azure.Core.Pipeline;

namespace Nhi.TokenExchange.Tests.Adapters;

/// <summary>What stands in every Azure SDK client: Azure.Core's own pipeline, from options.</summary>
internal sealed class TestClient(TestClient.Options options, bool sync, params HttpPipelinePolicy[] ownPolicies)
{
    private readonly HttpPipeline _pipeline = HttpPipelineBuilder.Build(options, [], ownPolicies, ResponseClassifier.Shared);

    /// <summary>Options on a wire, without retries.</summary>
    public static Options On(Wire wire) => new() { Transport = new HttpClientTransport(wire), Retry = { MaxRetries = 0, Delay = TimeSpan.Zero } };

    /// <summary>Sends one request.</summary>
    /// <returns>The status, and whether an Authorization header is left on the request.</returns>
    public async Task<(int Status, bool HeaderIsLeft)> SendAsync(
        string address = $"{LakeJob.Origin}/orders", RequestContent? content = null, Action<HttpMessage>? more = null, CancellationToken cancellationToken = default)
    {
        using HttpMessage message = _pipeline.CreateMessage();
        message.Request.Method = content is null ? RequestMethod.Get : RequestMethod.Put;
        message.Request.Uri.Reset(new Uri(address));
        message.Request.Content = content;
        more?.Invoke(message);
        if (sync)
            await Task.Run(() => _pipeline.Send(message, cancellationToken), CancellationToken.None);
        else
            await _pipeline.SendAsync(message, cancellationToken);
        return (message.Response.Status, message.Request.Headers.Contains("Authorization"));
    }

    internal sealed class Options : ClientOptions;

    private sealed class ResponseClassifier : Azure.Core.ResponseClassifier
    {
        public static ResponseClassifier Shared { get; } = new();
    }
}
