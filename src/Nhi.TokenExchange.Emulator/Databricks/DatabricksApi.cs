using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Some of the REST API of workspace and account. It looks at each token at the moment of use, before it looks at anything else.</summary>
internal sealed class DatabricksApi(DatabricksWorkspace workspace, Ledger ledger, TimeProvider time)
{
    // A token is refused in the last 30 seconds of its life ("OAuth token federation").
    public static readonly TimeSpan Margin = TimeSpan.FromSeconds(30);

    private const string Warehouses = "/api/2.0/sql/warehouses";
    private const string Me = "/api/2.0/preview/scim/v2/Me";

    private string AccountWorkspaces => $"/api/2.0/accounts/{workspace.AccountId}/workspaces";

    public async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request)
    {
        string path = request.Path.TrimEnd('/');
        string scope = ScopeOf(path);
        string? token = request.Bearer;
        string? fingerprint = token is null ? null : Ledger.FingerprintOf(token);
        LedgerIssue? issue = fingerprint is null ? null : ledger.Find(fingerprint);
        UseVerdict verdict = token is null ? UseVerdict.Missing : Judge(issue, path, scope);
        ledger.Add(new LedgerUse(fingerprint, time.GetUtcNow(), verdict, request.Path, request.RequestId));
        if (verdict != UseVerdict.Accepted)
            return DatabricksErrors.For(verdict, scope);
        if (DatabricksStatements.Has(path))
            return await workspace.Statements.AnswerAsync(request, path, issue!).ConfigureAwait(false);
        bool isGet = request.Http.Request.Method == "GET";
        return isGet && path == Warehouses ? ListWarehouses()
            : isGet && path == Me ? EmulatorAnswer.Of(new JsonObject { ["id"] = "1", ["userName"] = issue!.Subject, ["active"] = true })
            : isGet && path == AccountWorkspaces ? ListWorkspaces()
            : DatabricksErrors.Of(404, "ENDPOINT_NOT_FOUND", $"No API found for '{request.Http.Request.Method} {path}'");
    }

    private EmulatorAnswer ListWarehouses() => EmulatorAnswer.Of(new JsonObject
    {
        ["warehouses"] = new JsonArray(new JsonObject { ["id"] = workspace.Statements.WarehouseId, ["name"] = "Starter", ["state"] = "RUNNING", ["cluster_size"] = "2X-Small" }),
    });

    // The real one answers an array here; an object keeps to what the emulator's answers can be.
    private EmulatorAnswer ListWorkspaces() => EmulatorAnswer.Of(new JsonObject
    {
        ["workspaces"] = new JsonArray(new JsonObject { ["workspace_id"] = 1000000000000001L, ["workspace_name"] = "emulated", ["workspace_status"] = "RUNNING", ["account_id"] = workspace.AccountId }),
    });

    private UseVerdict Judge(LedgerIssue? issue, string path, string scope)
    {
        if (!workspace.IsIssuerOf(issue))
            return UseVerdict.Unknown;
        if (issue!.RevokedAt is not null)
            return UseVerdict.Revoked;
        DateTimeOffset now = time.GetUtcNow();
        if (now >= issue.EndsAt)
            return UseVerdict.Expired;
        if (now >= issue.EndsAt - Margin)
            return UseVerdict.LastSeconds;
        if (!issue.Audience.Contains(IsAccounts(path) ? workspace.AccountId : workspace.Origin))
            return UseVerdict.OtherAudience;
        return issue.Scopes.Any(one => one == scope || one == "all-apis") ? UseVerdict.Accepted : UseVerdict.InsufficientScope;
    }

    private static bool IsAccounts(string path) => path.StartsWith("/api/2.0/accounts/", StringComparison.Ordinal);

    // The REST reference names the scope of each method.
    private static string ScopeOf(string path) => path.StartsWith("/api/2.0/sql/", StringComparison.Ordinal) ? "sql" : IsAccounts(path) ? "provisioning" : "access-management";
}
