using Nhi.TokenExchange;

namespace DatabricksWarehouse;

/// <summary>Waits between two looks at a statement.</summary>
internal delegate Task Pause(TimeSpan time, CancellationToken cancellationToken);

/// <summary>Runs SQL by the Statement Execution API, however long it takes: tokens come and go meanwhile, each request carries one that is good.</summary>
internal sealed class StatementClient(WorkspaceClient workspace, Pause pause)
{
    private const string Root = "/api/2.0/sql/statements";

    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan CancelWithin = TimeSpan.FromSeconds(10);

    #region poll
    public async Task<StatementResult> ExecuteAsync(string sql, string warehouseId, CancellationToken cancellationToken)
    {
        StatementResponse statement = await workspace.PostAsync(Root, new StatementRequest(sql, warehouseId), Wire.Default.StatementRequest, Wire.Default.StatementResponse, cancellationToken);
        string path = $"{Root}/{Uri.EscapeDataString(statement.StatementId)}";
        try
        {
            while (statement.Status.State is "PENDING" or "RUNNING")
            {
                await pause(PollEvery, cancellationToken);
                statement = await workspace.GetAsync(path, Wire.Default.StatementResponse, cancellationToken);
            }
        }
        catch   // nobody waits for it any more, for whatever reason: it must not go on costing
        {
            await TryCancelAsync(path);
            throw;
        }
        return statement.Status.State == "SUCCEEDED" ? await FetchAsync(statement, cancellationToken) : throw new WorkspaceException($"The statement is {statement.Status.State}. {statement.Status.Error?.Message}");
    }

    // With time of its own: the caller's is up. If it comes to nothing, what stopped the waiting is what the caller hears of.
    private async Task TryCancelAsync(string path)
    {
        using var limit = new CancellationTokenSource(CancelWithin, TimeProvider.System);
        try
        {
            await workspace.PostAsync($"{path}/cancel", limit.Token);
        }
        catch (Exception failed) when (failed is HttpRequestException or OperationCanceledException or WorkspaceException or TokenExchangeException)
        {
        }
    }
    #endregion

    private async Task<StatementResult> FetchAsync(StatementResponse statement, CancellationToken cancellationToken)
    {
        var rows = new List<IReadOnlyList<string?>>();
        ResultChunk? chunk = statement.Result;
        while (chunk is not null)
        {
            rows.AddRange(chunk.DataArray ?? []);
            // A path on the same host. Were it an address elsewhere, the handler would refuse to send the token there.
            chunk = chunk.NextChunkInternalLink is { } next ? await workspace.GetAsync(next, Wire.Default.ResultChunk, cancellationToken) : null;
        }
        return new StatementResult([.. statement.Manifest?.Schema.Columns.Select(column => column.Name) ?? []], rows, statement.Manifest?.TotalRowCount ?? rows.Count);
    }
}

/// <summary>All rows of a result.</summary>
internal sealed record StatementResult(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string?>> Rows, long TotalRowCount);
