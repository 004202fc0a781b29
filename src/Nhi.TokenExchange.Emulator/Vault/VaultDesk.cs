using System.Globalization;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Takes each request to the emulated Vault to who answers it: namespace, token, policy, then the path.</summary>
internal sealed class VaultDesk(EmulatedVault vault, VaultBooks books, VaultLogins logins, VaultSecretMaking secrets, Ledger ledger, string canary, TimeProvider time)
{
    // The policy "default", as it is at a new server.
    private static readonly string[] DefaultPolicy = ["auth/token/lookup-self", "auth/token/renew-self", "auth/token/revoke-self", "sys/leases/renew", "sys/leases/lookup", "sys/wrapping/"];

    private readonly VaultWrappings _wrappings = new(canary, time);

    public async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request)
    {
        try
        {
            (string ns, string path) = vault.Locate(request);
            EmulatorAnswer answer = await AskAsync(request, ns, path, await VaultBody.ReadAsync(request).ConfigureAwait(false)).ConfigureAwait(false);
            return answer.Json is not null && VaultBody.ParseDuration(request.Header("X-Vault-Wrap-TTL")) is { } life && !path.StartsWith("sys/wrapping/", StringComparison.Ordinal)
                ? _wrappings.Wrap(request, answer, ns.Length > 0 ? $"{ns}/{path}" : path, life)
                : answer;
        }
        catch (VaultDenied denied)
        {
            ledger.Add(new LedgerRefusal(request.Endpoint, time.GetUtcNow(), null, denied.Status.ToString(CultureInfo.InvariantCulture), denied.Reason, request.RequestId));
            return EmulatorAnswer.Of(new JsonObject { ["errors"] = JsonText.Array(denied.Errors) }, denied.Status);
        }
    }

    private async Task<EmulatorAnswer> AskAsync(EmulatorRequest request, string ns, string path, VaultBody body)
    {
        if (path == "sys/health")
            return EmulatorAnswer.Of(new JsonObject { ["initialized"] = true, ["sealed"] = false, ["standby"] = false, ["version"] = "1.21.0" });
        if (request.Endpoint == EmulatorEndpoint.VaultLogin)
            return await logins.AnswerAsync(request, ns, path, body).ConfigureAwait(false);
        if (request.Endpoint == EmulatorEndpoint.VaultWrapping)
            return _wrappings.Answer(request, path["sys/wrapping/".Length..], body);
        if ((request.Header("X-Vault-Token") ?? request.Bearer) is not { } text)
            throw VaultDenied.Permission("token_missing");
        VaultToken token = books.Use(text) ?? throw VaultDenied.DeadToken();
        // A token is good in its namespace and in those below.
        if (token.Namespace.Length > 0 && ns != token.Namespace && !ns.StartsWith(token.Namespace + "/", StringComparison.Ordinal))
            throw VaultDenied.Permission("other_namespace");
        if (!May(token, path))
            throw VaultDenied.Permission("policy");
        return request.Endpoint switch
        {
            EmulatorEndpoint.VaultToken => VaultTokenPaths.Answer(books, request, path["auth/token/".Length..], token, body, time.GetUtcNow()),
            EmulatorEndpoint.VaultLease => VaultLeasePaths.Answer(books, request, path["sys/leases/".Length..], body, time.GetUtcNow()),
            _ when vault.FindKeyValue(ns, path) is { } engine => VaultKeyValuePaths.Answer(engine, request, path[(engine.Mount.Length + 1)..], body),
            _ => secrets.Answer(request, ns, path, token),
        };
    }

    private static bool May(VaultToken token, string path) =>
        (token.HasDefaultPolicy && DefaultPolicy.Any(allowed => allowed == path || (allowed.EndsWith('/') && path.StartsWith(allowed, StringComparison.Ordinal))))
        || token.Paths.Any(allowed => allowed == path || (allowed.EndsWith('*') && path.StartsWith(allowed[..^1], StringComparison.Ordinal)));
}
