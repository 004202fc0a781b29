using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace Nhi.TokenExchange;

/// <summary>The protected API: <c>GET /api/datasets/{name}/rows?from=&amp;count=</c>. It looks at each token at the moment of use.</summary>
public sealed partial class Warehouse
{
    private const int MostRows = 1000;

    private readonly Ledger _ledger;
    private readonly TimeProvider _time;
    private readonly string _origin;
    private readonly string _authorizationIssuer;
    private readonly DatabricksWorkspace _databricks;

    internal Warehouse(string origin, AuthorizationServer authorization, DatabricksWorkspace databricks, Ledger ledger, TimeProvider time)
    {
        _origin = origin;
        _ledger = ledger;
        _time = time;
        _authorizationIssuer = authorization.IssuerText;
        _databricks = databricks;
    }

    /// <summary>The API's address; also its name as <c>resource</c>. As <c>audience</c> it is called <c>warehouse</c> too.</summary>
    public Uri Address => new(_origin);

    /// <summary>Whether it takes the authorization server's tokens. Default true.</summary>
    public bool AcceptsAuthorizationTokens { get; set; } = true;

    /// <summary>Whether it takes the Databricks-style workspace's tokens. Default true.</summary>
    public bool AcceptsDatabricksTokens { get; set; } = true;

    internal static IReadOnlyList<string> NamesOf(string origin) => [origin, origin + "/", "warehouse"];

    internal EmulatorAnswer Answer(EmulatorRequest request)
    {
        HttpRequest http = request.Http.Request;
        Match path = RowsPath().Match(http.Path.Value ?? "");
        string dataset = path.Groups["name"].Value;
        string? token = request.Bearer;
        string? fingerprint = token is null ? null : Ledger.FingerprintOf(token);
        LedgerIssue? issue = fingerprint is null ? null : _ledger.Find(fingerprint);
        // RFC 6750 §5.3: a token in the address is refused, whatever it is.
        bool inAddress = http.Query.ContainsKey("access_token");
        UseVerdict verdict = token is null || inAddress ? UseVerdict.Missing : Judge(issue, dataset);
        _ledger.Add(new LedgerUse(fingerprint, _time.GetUtcNow(), verdict, http.Path.Value ?? "", request.RequestId));
        if (verdict != UseVerdict.Accepted)
            return WarehouseRefusals.For(verdict, dataset, _databricks.IsIssuerOf(issue));
        if (!HttpMethods.IsGet(http.Method))
            return EmulatorAnswer.Of(new JsonObject { ["message"] = "This API is read only." }, 405);
        return path.Success && DatasetRows.Knows(dataset) ? Rows(dataset, http.Query) : EmulatorAnswer.Of(new JsonObject { ["message"] = "There is no such data set." }, 404);
    }

    private static EmulatorAnswer Rows(string dataset, IQueryCollection query)
    {
        if (!Number(query["from"], 0, out int from) || !Number(query["count"], 100, out int count) || count > MostRows)
            return EmulatorAnswer.Of(new JsonObject { ["message"] = $"from and count are whole numbers from 0; count is at most {MostRows}." }, 400);
        int end = (int)Math.Min((long)from + count, DatasetRows.Total);
        var rows = new JsonArray();
        for (int row = from; row < end; row++)
            rows.Add((JsonNode)DatasetRows.Row(dataset, row));
        return EmulatorAnswer.Of(new JsonObject { ["dataset"] = dataset, ["from"] = from, ["count"] = rows.Count, ["total"] = DatasetRows.Total, ["rows"] = rows });
    }

    private static bool Number(string? text, int missing, out int number)
    {
        number = missing;
        return string.IsNullOrEmpty(text) || int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    [GeneratedRegex("^/api/datasets/(?<name>[a-z0-9_-]{1,64})/rows$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: Timeout.Infinite)]
    private static partial Regex RowsPath();

    private UseVerdict Judge(LedgerIssue? issue, string dataset)
    {
        bool databricks = _databricks.IsIssuerOf(issue);
        if (issue is null || !(databricks ? AcceptsDatabricksTokens : AcceptsAuthorizationTokens && issue.Issuer == _authorizationIssuer))
            return UseVerdict.Unknown;
        if (issue.RevokedAt is not null)
            return UseVerdict.Revoked;
        DateTimeOffset now = _time.GetUtcNow();
        if (now >= issue.EndsAt)
            return UseVerdict.Expired;
        if (databricks && now >= issue.EndsAt - DatabricksApi.Margin)
            return UseVerdict.LastSeconds;
        // RFC 8707 §2.2, RFC 9068 §4: a token for another API is no good here.
        if (!issue.Audience.Any(audience => NamesOf(_origin).Contains(audience) || (databricks && audience == _databricks.Origin)))
            return UseVerdict.OtherAudience;
        // RFC 9396 §9: details that came with a token bound it, beside its scopes.
        return issue.Scopes.Any(scope => scope == $"dataset:{dataset}" || scope is "sql" or "all-apis") && DatabricksDetails.LetRead(issue.AuthorizationDetails, dataset) ? UseVerdict.Accepted : UseVerdict.InsufficientScope;
    }
}
