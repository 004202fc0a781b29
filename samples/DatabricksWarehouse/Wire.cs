using System.Text.Json;
using System.Text.Json.Serialization;

namespace DatabricksWarehouse;

/// <summary>A SQL warehouse, as <c>GET /api/2.0/sql/warehouses</c> lists it.</summary>
internal sealed record SqlWarehouse(string Id, string Name, string State);

internal sealed record SqlWarehouses(IReadOnlyList<SqlWarehouse>? Warehouses);

/// <summary>The body of <c>POST /api/2.0/sql/statements</c>. A wait of 0 s: the answer comes at once, with the id to ask again by.</summary>
internal sealed record StatementRequest(string Statement, string WarehouseId)
{
    public string WaitTimeout => "0s";

    public string Disposition => "INLINE";

    public string Format => "JSON_ARRAY";
}

internal sealed record StatementResponse(string StatementId, StatementStatus Status, ResultManifest? Manifest, ResultChunk? Result);

internal sealed record StatementStatus(string State, StatementError? Error);

internal sealed record StatementError(string? ErrorCode, string? Message);

internal sealed record ResultManifest(ResultSchema Schema, long TotalRowCount, bool Truncated);

internal sealed record ResultSchema(IReadOnlyList<ResultColumn> Columns);

internal sealed record ResultColumn(string Name, string TypeText);

/// <summary>Some rows, each value a text or null, and where the next ones are.</summary>
internal sealed record ResultChunk(IReadOnlyList<IReadOnlyList<string?>>? DataArray, string? NextChunkInternalLink);

/// <summary>An error of the REST API. The code is a word, or a number where a gateway answered.</summary>
internal sealed record ApiError(JsonElement ErrorCode, string? Message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SqlWarehouses))]
[JsonSerializable(typeof(StatementRequest))]
[JsonSerializable(typeof(StatementResponse))]
[JsonSerializable(typeof(ResultChunk))]
[JsonSerializable(typeof(ApiError))]
internal sealed partial class Wire : JsonSerializerContext;
