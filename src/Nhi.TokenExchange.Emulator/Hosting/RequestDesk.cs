using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Nhi.TokenExchange;

/// <summary>Takes each request through: count it, let the plan's faults happen, ask the endpoint, write the answer.</summary>
internal sealed class RequestDesk(EmulatorRoutes routes, Ledger ledger, FaultPlan faults, TimeProvider time)
{
    private static readonly string[] AwsKey = ["RoleArn", "RoleSessionName", "DurationSeconds", "Policy"];

    private readonly Lock _gate = new();
    private long _requests;

    public async Task HandleAsync(HttpContext http)
    {
        if (routes.Find(http.Connection.LocalPort, http.Request.Path.Value ?? "") is not { } endpoint)
        {
            http.Response.StatusCode = 404;
            return;
        }

        try
        {
            await HandleAsync(http, endpoint).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller hung up, or a fault reset the connection.
        }
    }

    private async Task HandleAsync(HttpContext http, EmulatorEndpoint endpoint)
    {
        if (endpoint == EmulatorEndpoint.AwsSts)
            http.Request.EnableBuffering();   // a signature is over the bytes
        // These read their bodies themselves.
        RequestForm form = endpoint is EmulatorEndpoint.AzureResource or EmulatorEndpoint.AuthZenEvaluation or EmulatorEndpoint.OpaData ? RequestForm.None : await RequestForm.ReadAsync(http.Request, http.RequestAborted).ConfigureAwait(false);
        string? key = KeyOf(endpoint, http.Request, form);
        (int number, int atOnce) = ledger.Requests.Enter(endpoint, key);
        if (atOnce > 1)
            ledger.Add(new LedgerOverlap(endpoint, ClientOf(form), time.GetUtcNow(), atOnce));
        var request = new EmulatorRequest(endpoint, http, form, NextRequestId(endpoint), time.GetUtcNow());
        IReadOnlyList<Fault> met = faults.For(endpoint, number);
        EmulatorAnswer? answer;
        try
        {
            answer = await WorkAsync(request, met).ConfigureAwait(false);
        }
        finally
        {
            // Before the answer is written: a caller that has it may ask again at once, and that is no second request in flight.
            ledger.Requests.Leave(endpoint, key);
        }

        if (answer is null)
            ConnectionReset.Now(http);
        else
            await WriteAsync(request, answer, met).ConfigureAwait(false);
    }

    /// <summary>Null: the connection is to be reset before the endpoint sees anything.</summary>
    private async Task<EmulatorAnswer?> WorkAsync(EmulatorRequest request, IReadOnlyList<Fault> met)
    {
        HeldRequest? held = faults.TakeHold(request.Endpoint);
        CancellationToken aborted = request.Http.RequestAborted;
        foreach (Fault fault in met.Where(fault => fault.DelayBefore > TimeSpan.Zero))
            await Task.Delay(fault.DelayBefore, time, aborted).ConfigureAwait(false);
        if (held is { Point: HoldPoint.BeforeWork })
            await held.StandAsync(aborted).ConfigureAwait(false);
        if (met.Any(fault => fault.ResetBefore))
            return null;
        EmulatorAnswer answer = met.FirstOrDefault(fault => fault.Instead is not null)?.Instead!(request) ?? await AskAsync(request, met).ConfigureAwait(false);
        if (held is { Point: HoldPoint.BeforeAnswer })
            await held.StandAsync(aborted).ConfigureAwait(false);
        return answer;
    }

    private async Task<EmulatorAnswer> AskAsync(EmulatorRequest request, IReadOnlyList<Fault> met)
    {
        request.WiderScope = met.FirstOrDefault(fault => fault.Wider is not null)?.Wider;
        EmulatorAnswer answer;
        try
        {
            answer = await routes.AnswerAsync(request).ConfigureAwait(false);
        }
        catch (OAuthRefusal refusal)
        {
            ledger.Add(new LedgerRefusal(request.Endpoint, time.GetUtcNow(), request.Form.One("client_id") ?? refusal.ClientId, refusal.Error, refusal.Reason, request.RequestId));
            return refusal.ToAnswer(request);
        }

        foreach (Fault fault in met)
            fault.Change?.Invoke(answer);
        return answer;
    }

    private async Task WriteAsync(EmulatorRequest request, EmulatorAnswer answer, IReadOnlyList<Fault> met)
    {
        HttpResponse response = request.Http.Response;
        response.StatusCode = answer.Status;
        byte[] body = answer.Body();
        if (body.Length > 0 || answer.Status == 200)
            response.ContentType = answer.ContentType;
        // The emulator's clock, not the machine's: callers learn the server's time from it.
        response.Headers.Date = time.GetUtcNow().ToString("r", CultureInfo.InvariantCulture);
        response.Headers["x-request-id"] = request.RequestId;
        foreach ((string name, string value) in answer.Headers)
            response.Headers[name] = value;
        BodyWriting writing = met.FirstOrDefault(fault => fault.Writing != BodyWriting.Whole)?.Writing ?? BodyWriting.Whole;
        await writing.RunAsync(request.Http, body, time).ConfigureAwait(false);
        ledger.MarkAnswered(request.RequestId, isWhole: !writing.Cuts && !request.Http.RequestAborted.IsCancellationRequested);
    }

    private static string? ClientOf(RequestForm form) => form.One("client_id") ?? form.One("identity_federation_client_id");

    /// <summary>What two requests have in common that want the same credential; null where none is asked for.</summary>
    private static string? KeyOf(EmulatorEndpoint endpoint, HttpRequest request, RequestForm form) => endpoint switch
    {
        EmulatorEndpoint.AuthorizationToken or EmulatorEndpoint.DatabricksToken => $"{endpoint}\n{form.Key}",
        EmulatorEndpoint.EntraToken => $"{endpoint}\n{request.Path}\n{form.Key}\n{form.One("claims")}",
        EmulatorEndpoint.ManagedIdentityToken => $"{endpoint}\n{request.Path}{request.QueryString}\n{form.Key}",
        EmulatorEndpoint.GoogleSts => $"{endpoint}\n{form.Key}\n{form.One("options")}",
        EmulatorEndpoint.AwsSts when form.One("RoleArn") is not null => $"{endpoint}\n{string.Join('\n', AwsKey.Select(form.One))}",
        _ => null,
    };

    private string NextRequestId(EmulatorEndpoint endpoint)
    {
        // Entra's ids are GUIDs, and SDKs parse them; Databricks' REST API has such too.
        if (endpoint >= EmulatorEndpoint.EntraInstanceDiscovery)
            return Guid.NewGuid().ToString();
        lock (_gate)
            return $"emu-{++_requests:x8}";
    }
}
