using System.Net.Http.Json;
using System.Text.Json.Serialization;

namespace Worker;

/// <summary>An API that serves the rows of a data set. It never sees a credential.</summary>
internal abstract class RowReader(HttpClient http)
{
    /// <returns>How many rows came.</returns>
    public async Task<int> ReadAsync(string dataset, CancellationToken cancellationToken)
    {
        RowPage page = await http.GetFromJsonAsync($"api/datasets/{dataset}/rows?from=0&count=100", RowJson.Default.RowPage, cancellationToken)
            ?? throw new InvalidOperationException("The API answered nothing.");
        return page.Count;
    }
}

/// <summary>The API that believes the credentials of the target warehouse.</summary>
internal sealed class Warehouse(HttpClient http) : RowReader(http);

/// <summary>The API that believes the credentials of the target databricks.</summary>
internal sealed class Workspace(HttpClient http) : RowReader(http);

internal sealed record RowPage(int Count);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RowPage))]
internal sealed partial class RowJson : JsonSerializerContext;
