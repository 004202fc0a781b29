using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace DatabricksWarehouse;

/// <summary>A typed client of the REST API. It knows nothing of tokens: the handler below it sets one on each request.</summary>
internal sealed class WorkspaceClient(HttpClient http)
{
    public async Task<IReadOnlyList<SqlWarehouse>> ListWarehousesAsync(CancellationToken cancellationToken) =>
        (await GetAsync("/api/2.0/sql/warehouses", Wire.Default.SqlWarehouses, cancellationToken)).Warehouses ?? [];

    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await http.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
        return await ReadAsync(response, type, cancellationToken);
    }

    /// <summary>Posts bytes, not a stream: what can be sent again is sent again, once, where the workspace calls a token dead.</summary>
    public async Task<T> PostAsync<TBody, T>(string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, bodyType));
        content.Headers.ContentType = new("application/json");
        using HttpResponseMessage response = await http.PostAsync(new Uri(path, UriKind.Relative), content, cancellationToken);
        return await ReadAsync(response, type, cancellationToken);
    }

    /// <summary>Posts nothing and wants nothing back.</summary>
    public async Task PostAsync(string path, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await http.PostAsync(new Uri(path, UriKind.Relative), content: null, cancellationToken);
        await RefuseErrorAsync(response, cancellationToken);
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        await RefuseErrorAsync(response, cancellationToken);
        return await response.Content.ReadFromJsonAsync(type, cancellationToken) ?? throw new WorkspaceException("The workspace answered null.", response.StatusCode);
    }

    private static async Task RefuseErrorAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode)
            return;
        ApiError? error = response.Content.Headers.ContentType?.MediaType == "application/json" ? await response.Content.ReadFromJsonAsync(Wire.Default.ApiError, cancellationToken) : null;
        throw new WorkspaceException($"{(int)response.StatusCode} {error?.ErrorCode}: {error?.Message}", response.StatusCode);
    }
}
