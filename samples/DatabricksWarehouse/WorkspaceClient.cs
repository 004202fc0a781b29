using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace DatabricksWarehouse;

/// <summary>A typed client of the REST API. It knows nothing of tokens: the handler below it sets one on each request.</summary>
/// <remarks>What the workspace refuses, answers unreadably or not in time is a <see cref="WorkspaceException"/>; a cancellation is the caller's own.</remarks>
internal sealed class WorkspaceClient(HttpClient http)
{
    public async Task<IReadOnlyList<SqlWarehouse>> ListWarehousesAsync(CancellationToken cancellationToken) =>
        (await GetAsync("/api/2.0/sql/warehouses", Wire.Default.SqlWarehouses, cancellationToken)).Warehouses ?? [];

    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Get, path, null, cancellationToken);
        return await ReadAsync(response, type, cancellationToken);
    }

    /// <summary>Posts bytes, not a stream: what can be sent again is sent again, once, where the workspace calls a token dead.</summary>
    public async Task<T> PostAsync<TBody, T>(string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, bodyType));
        content.Headers.ContentType = new("application/json");
        using HttpResponseMessage response = await SendAsync(HttpMethod.Post, path, content, cancellationToken);
        return await ReadAsync(response, type, cancellationToken);
    }

    /// <summary>Posts nothing and wants nothing back.</summary>
    public async Task PostAsync(string path, CancellationToken cancellationToken) => (await SendAsync(HttpMethod.Post, path, null, cancellationToken)).Dispose();

    // The one way for all. The body is read whole within it: no time-out comes later.
    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content };
        HttpResponseMessage response;
        try
        {
            response = await http.SendAsync(request, cancellationToken);
        }
        catch (OperationCanceledException late) when (late.InnerException is TimeoutException)   // HttpClient's own limit, not the caller's cancellation
        {
            throw new WorkspaceException($"The workspace did not answer {method} {path} in time.", cause: late);
        }
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw await RefusedAsync(response, cancellationToken);
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        try
        {
            return JsonSerializer.Deserialize(await response.Content.ReadAsByteArrayAsync(cancellationToken), type) ?? throw new WorkspaceException("The workspace answered null.", response.StatusCode);
        }
        catch (JsonException unreadable)
        {
            throw new WorkspaceException("The workspace answered what is not the expected JSON.", response.StatusCode, unreadable);
        }
    }

    private static async Task<WorkspaceException> RefusedAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentType?.MediaType != "application/json")
            return new WorkspaceException($"The workspace answered {(int)response.StatusCode}.", response.StatusCode);
        ApiError error = await ReadAsync(response, Wire.Default.ApiError, cancellationToken);
        return new WorkspaceException($"{(int)response.StatusCode} {error.ErrorCode}: {error.Message}", response.StatusCode);
    }
}
