using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>
/// The emulated Statement Execution API: <c>SELECT * FROM</c> one of the data sets, with an optional <c>LIMIT</c>; inline results as <c>JSON_ARRAY</c>, in chunks. Statements take the
/// emulator's time.
/// </summary>
/// <remarks>Page: Databricks REST reference "Statement Execution".</remarks>
public sealed class DatabricksStatements
{
    private const string Root = "/api/2.0/sql/statements";

    // The first statement waits up to 10 s unless it says otherwise: 0 s, or 5 to 50 s.
    private const int DefaultWaitSeconds = 10;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    private readonly ConcurrentDictionary<string, DatabricksStatement> _statements = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;

    internal DatabricksStatements(TimeProvider time) => _time = time;

    /// <summary>The id of the one SQL warehouse.</summary>
    public string WarehouseId { get; } = RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>How long a new statement is <c>PENDING</c>: the warehouse starts. Default none.</summary>
    public TimeSpan StartTime { get; set; }

    /// <summary>How long it is <c>RUNNING</c> after that. Default none.</summary>
    public TimeSpan RunTime { get; set; }

    /// <summary>How long a result can be fetched after its end; then the statement is <c>CLOSED</c>. Default one hour.</summary>
    public TimeSpan ResultLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How many rows a chunk has at most. Default 1000.</summary>
    public int ChunkRows { get; set; } = 1000;

    internal static bool Has(string path) => path == Root || path.StartsWith(Root + "/", StringComparison.Ordinal);

    internal async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request, string path, LedgerIssue token)
    {
        string method = request.Http.Request.Method;
        string[] parts = path[Root.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 0)
            return method == "POST" ? await ExecuteAsync(request, token).ConfigureAwait(false) : NoSuchMethod(method, path);
        // Whoever did not submit it does not hear of it.
        if (!_statements.TryGetValue(parts[0], out DatabricksStatement? statement) || statement.Owner != token.Subject)
            return DatabricksErrors.NotFound($"The statement {parts[0]} was not found.");
        return (method, parts[1..]) switch
        {
            ("GET", []) => statement.Show(_time.GetUtcNow()),
            ("GET", ["result", "chunks", var chunk]) => statement.ShowChunk(chunk, _time.GetUtcNow()),
            ("POST", ["cancel"]) => statement.Cancel(_time.GetUtcNow()),
            _ => NoSuchMethod(method, path),
        };
    }

    private static EmulatorAnswer NoSuchMethod(string method, string path) => DatabricksErrors.Of(404, "ENDPOINT_NOT_FOUND", $"No API found for '{method} {path}'");

    private async Task<EmulatorAnswer> ExecuteAsync(EmulatorRequest request, LedgerIssue token)
    {
        JsonObject? asked = await ReadAsync(request).ConfigureAwait(false);
        if (asked is null)
            return DatabricksErrors.Of(400, "MALFORMED_REQUEST", "The body is no JSON object.");
        if (Text(asked, "statement") is not { Length: > 0 } sql)
            return DatabricksErrors.Invalid("statement is required.");
        if (Text(asked, "warehouse_id") != WarehouseId)
            return DatabricksErrors.Invalid("warehouse_id is missing, or names no SQL warehouse of this workspace.");
        if (WaitOf(Text(asked, "wait_timeout")) is not { } wait)
            return DatabricksErrors.Invalid("wait_timeout must be 0s, or from 5s to 50s.");
        string then = Text(asked, "on_wait_timeout") ?? "CONTINUE";
        if (then is not ("CONTINUE" or "CANCEL"))
            return DatabricksErrors.Invalid("on_wait_timeout must be CONTINUE or CANCEL.");
        if ((Text(asked, "disposition") ?? "INLINE") != "INLINE" || (Text(asked, "format") ?? "JSON_ARRAY") != "JSON_ARRAY" || asked.ContainsKey("parameters"))
            return DatabricksErrors.Invalid("This emulator gives INLINE results as JSON_ARRAY, and takes no parameters.");

        if (asked["row_limit"] is { } limit && !(limit is JsonValue number && number.TryGetValue(out int rows) && rows > 0))
            return DatabricksErrors.Invalid("row_limit must be a whole number from 1.");

        var statement = new DatabricksStatement(token, sql, _time.GetUtcNow(), this, (int?)asked["row_limit"]);
        _statements[statement.Id] = statement;
        TimeSpan needed = StartTime + RunTime;
        TimeSpan waited = needed < wait ? needed : wait;
        if (waited > TimeSpan.Zero)
            await Task.Delay(waited, _time, request.Http.RequestAborted).ConfigureAwait(false);
        if (then == "CANCEL" && waited < needed)
            statement.Cancel(_time.GetUtcNow());
        return statement.Show(_time.GetUtcNow());
    }

    private static TimeSpan? WaitOf(string? text)
    {
        if (text is null)
            return TimeSpan.FromSeconds(DefaultWaitSeconds);
        return text.EndsWith('s') && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && seconds is 0 or (>= 5 and <= 50)
            ? TimeSpan.FromSeconds(seconds)
            : null;
    }

    private static async Task<JsonObject?> ReadAsync(EmulatorRequest request)
    {
        try
        {
            return await JsonNode.ParseAsync(request.Http.Request.Body, documentOptions: Strict, cancellationToken: request.Http.RequestAborted).ConfigureAwait(false) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Text(JsonObject from, string name) => from[name] is JsonValue value && value.TryGetValue(out string? text) ? text : null;
}
