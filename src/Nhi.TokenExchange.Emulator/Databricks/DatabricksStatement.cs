using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange;

/// <summary>One statement: what it is at an instant follows from when it was submitted.</summary>
internal sealed partial class DatabricksStatement
{
    private readonly Lock _gate = new();
    private readonly DateTimeOffset _runsFrom;
    private readonly DateTimeOffset _endsAt;
    private readonly DateTimeOffset _closesAt;
    private readonly int _chunkRows;
    private readonly string? _table;
    private readonly int _rows;
    private readonly bool _isTruncated;
    private readonly string? _fault;
    private bool _isCanceled;

    public DatabricksStatement(LedgerIssue token, string sql, DateTimeOffset now, DatabricksStatements settings, int? rowLimit)
    {
        Owner = token.Subject;
        _runsFrom = now + settings.StartTime;
        _endsAt = _runsFrom + settings.RunTime;
        _closesAt = _endsAt + settings.ResultLifetime;
        _chunkRows = settings.ChunkRows;
        Match select = Select().Match(sql.Trim());
        string name = select.Groups["table"].Value.ToLowerInvariant();
        _table = name[(name.LastIndexOf('.') + 1)..];
        int wanted = select.Groups["limit"] is { Success: true, Value: var limit } && int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out int most) ? Math.Min(most, DatasetRows.Total) : DatasetRows.Total;
        _rows = Math.Min(wanted, rowLimit ?? wanted);
        _isTruncated = _rows < wanted;
        _fault = !select.Success ? "[PARSE_SYNTAX_ERROR] Syntax error: this emulator takes SELECT * FROM a table, with a LIMIT."
            : !DatasetRows.Knows(_table) ? $"[TABLE_OR_VIEW_NOT_FOUND] The table or view {name} cannot be found."
            : !DatabricksDetails.LetRead(token.AuthorizationDetails, _table) ? $"[INSUFFICIENT_PERMISSIONS] Insufficient privileges: SELECT on {name}."
            : null;
    }

    public string Id { get; } = Guid.NewGuid().ToString();

    public string Owner { get; }

    public EmulatorAnswer Show(DateTimeOffset now)
    {
        string state = StateAt(now);
        var status = new JsonObject { ["state"] = state };
        if (state == "FAILED")
            status["error"] = new JsonObject { ["error_code"] = "BAD_REQUEST", ["message"] = _fault };
        var answer = new JsonObject { ["statement_id"] = Id, ["status"] = status };
        if (state == "SUCCEEDED")
        {
            answer["manifest"] = Manifest();
            answer["result"] = Chunk(0);
        }
        return EmulatorAnswer.Of(answer);
    }

    public EmulatorAnswer ShowChunk(string index, DateTimeOffset now)
    {
        if (StateAt(now) is var state && state != "SUCCEEDED")
            return DatabricksErrors.Of(400, "INVALID_STATE", $"The statement is {state}; it has no result to fetch.");
        return int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out int chunk) && chunk < ChunkCount
            ? EmulatorAnswer.Of(Chunk(chunk))
            : DatabricksErrors.Invalid($"There is no chunk {index}; there are {ChunkCount}.");
    }

    /// <summary>As documented: asks for it, and says nothing of whether it came in time.</summary>
    public EmulatorAnswer Cancel(DateTimeOffset now)
    {
        lock (_gate)
            _isCanceled |= now < _endsAt;
        return EmulatorAnswer.Of([]);
    }

    private int ChunkCount => Math.Max(1, (_rows + _chunkRows - 1) / _chunkRows);

    private string StateAt(DateTimeOffset now)
    {
        lock (_gate)
        {
            if (_isCanceled)
                return "CANCELED";
        }
        return now < _runsFrom ? "PENDING" : now < _endsAt ? "RUNNING" : _fault is not null ? "FAILED" : now < _closesAt ? "SUCCEEDED" : "CLOSED";
    }

    private JsonObject Manifest()
    {
        JsonArray columns = [.. DatasetRows.Row(_table!, 0).Select((column, position) => (JsonNode)new JsonObject
        {
            ["name"] = column.Key, ["position"] = position, ["type_name"] = TypeOf(column.Value!), ["type_text"] = TypeOf(column.Value!),
        })];
        JsonArray chunks = [.. Enumerable.Range(0, ChunkCount).Select(chunk => (JsonNode)Place(chunk))];
        return new JsonObject
        {
            ["format"] = "JSON_ARRAY",
            ["schema"] = new JsonObject { ["column_count"] = columns.Count, ["columns"] = columns },
            ["total_chunk_count"] = ChunkCount, ["chunks"] = chunks, ["total_row_count"] = _rows, ["truncated"] = _isTruncated,
        };
    }

    private JsonObject Place(int chunk) => new()
    {
        ["chunk_index"] = chunk, ["row_offset"] = chunk * _chunkRows, ["row_count"] = Math.Min(_chunkRows, _rows - (chunk * _chunkRows)),
    };

    private JsonObject Chunk(int chunk)
    {
        JsonObject place = Place(chunk);
        if (chunk + 1 < ChunkCount)
        {
            place["next_chunk_index"] = chunk + 1;
            place["next_chunk_internal_link"] = $"/api/2.0/sql/statements/{Id}/result/chunks/{chunk + 1}";
        }
        // JSON_ARRAY: every value is a text.
        place["data_array"] = new JsonArray([.. Enumerable.Range((int)place["row_offset"]!, (int)place["row_count"]!)
            .Select(row => (JsonNode)new JsonArray([.. DatasetRows.Row(_table!, row).Select(column => (JsonNode)column.Value!.ToString())]))]);
        return place;
    }

    private static string TypeOf(JsonNode value) => value.GetValueKind() switch
    {
        JsonValueKind.True or JsonValueKind.False => "BOOLEAN",
        JsonValueKind.Number => value.ToString().Contains('.', StringComparison.Ordinal) ? "DECIMAL" : "INT",
        _ => "STRING",
    };

    [GeneratedRegex(@"^select\s+\*\s+from\s+(?<table>[a-z0-9_]+(\.[a-z0-9_]+){0,2})(\s+limit\s+(?<limit>[0-9]{1,9}))?(\s*;)?$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: Timeout.Infinite)]
    private static partial Regex Select();
}
