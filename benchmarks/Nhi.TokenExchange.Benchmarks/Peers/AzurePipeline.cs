using Azure.Core;
using Azure.Core.Pipeline;

namespace Nhi.TokenExchange;

/// <summary>Azure.Core's whole pipeline, as in an Azure client, on a transport in memory.</summary>
public sealed class AzurePipeline(AzurePipeline.Options options, params HttpPipelinePolicy[] perRetry)
{
    private static readonly Uri Resource = new("https://resource.example/");

    private readonly HttpPipeline _pipeline = HttpPipelineBuilder.Build(options, [], perRetry, ResponseClassifier.Shared);

    /// <summary>Options without logs and traces: what is measured is the credential's way.</summary>
    public static Options NewOptions() => new()
    {
        Transport = new Nowhere(), Diagnostics = { IsLoggingEnabled = false, IsDistributedTracingEnabled = false, IsTelemetryEnabled = false },
    };

    /// <summary>Sends one request.</summary>
    /// <returns>The status.</returns>
    public async ValueTask<int> SendAsync()
    {
        using HttpMessage message = _pipeline.CreateMessage();
        message.Request.Uri.Reset(Resource);
        await _pipeline.SendAsync(message, default);
        return message.Response.Status;
    }

    /// <summary>Options of a client.</summary>
    public sealed class Options : ClientOptions;

    private sealed class ResponseClassifier : Azure.Core.ResponseClassifier
    {
        public static ResponseClassifier Shared { get; } = new();
    }

    private sealed class Nowhere : HttpPipelineTransport
    {
        public override Request CreateRequest() => HttpClientTransport.Shared.CreateRequest();

        // A real one needs the address; the request keeps it once it is made.
        public override void Process(HttpMessage message)
        {
            message.Request.Uri.ToUri();
            message.Response = new AcceptedResponse();
        }

        public override ValueTask ProcessAsync(HttpMessage message)
        {
            Process(message);
            return default;
        }
    }
}
