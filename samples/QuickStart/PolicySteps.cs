using System.Net;
using System.Net.Http.Headers;
using Nhi.TokenExchange;

namespace QuickStart;

/// <summary>A policy as a document that people review: what it permits, denies and narrows, and what an edit of it ends while the job runs.</summary>
internal static class PolicySteps
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    public static async Task TellAsync(Story story, IdentityEmulator emulator, Trust trust)
    {
        Write(trust.PolicyFile, Document(revision: 1, dataset: "orders", emulator.Issuer));
        var audit = new LastPermit();
        await using JobSession job = await StartAsync(emulator, trust, dataset: "orders", audit);
        CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");
        BearerToken token = await TellDecisionsAsync(story, emulator, trust, warehouse, audit);
        await TellNarrowAsync(story, emulator, token);
        await TellEditAsync(story, emulator, trust, warehouse, token);
    }

    private static async Task<BearerToken> TellDecisionsAsync(Story story, IdentityEmulator emulator, Trust trust, CredentialProvider<BearerToken> warehouse, LastPermit audit)
    {
        story.Step("policy", "a document that people review decides, and names the rule");
        BearerToken token = await warehouse.GetAsync();
        AuditEvent permitted = audit.Event!;
        story.Say($"permitted by rule '{permitted.Rule}' of revision {permitted.PolicyRevision!.Split('+')[0]}: asked for {warehouse.Scopes}, left {permitted.Scopes}");
        story.Expect(permitted is { Rule: "orders-report" } && permitted.Scopes == ScopeSet.Of("dataset:orders"), "the rule permits, and leaves one data set");

        await using JobSession other = await StartAsync(emulator, trust, dataset: "payments", audit);
        TokenExchangeException denied = await story.ThrowsAsync(async () => await other.Provider<BearerToken>("warehouse").GetAsync());
        story.Say(denied.Message);
        story.Expect(denied is AccessDeniedException { Rule: "default-deny" }, "what no rule permits is denied");
        return token;
    }

    private static async Task TellNarrowAsync(Story story, IdentityEmulator emulator, BearerToken token)
    {
        story.Step("narrow", "another data set is refused by the warehouse itself: the raw token, sent past this library");
        (HttpStatusCode orders, _) = await ReadRawAsync(emulator, token, "orders");
        (HttpStatusCode customers, string challenge) = await ReadRawAsync(emulator, token, "customers");
        story.Say($"GET orders: {(int)orders}");
        story.Say($"GET customers: {(int)customers} {challenge}");
        story.Expect(orders == HttpStatusCode.OK && customers == HttpStatusCode.Forbidden, "the token opens one data set and not the other");
    }

    private static async Task TellEditAsync(Story story, IdentityEmulator emulator, Trust trust, CredentialProvider<BearerToken> warehouse, BearerToken token)
    {
        story.Step("edit", "the policy file is edited while the job runs: what it granted ends");
        Write(trust.PolicyFile, Document(revision: 2, dataset: "returns", emulator.Issuer));
        AccessDeniedException? denied = null;
        while (denied is null)
        {
            try
            {
                await warehouse.GetAsync();
                await Task.Delay(Pause, TimeProvider.System);
            }
            catch (AccessDeniedException now)
            {
                denied = now;
            }
        }
        story.Say(denied.Message);
        while (emulator.Ledger.IsAlive(token.Fingerprint))   // it is revoked beside that
            await Task.Delay(Pause, TimeProvider.System);
        (HttpStatusCode orders, _) = await ReadRawAsync(emulator, token, "orders");
        story.Say($"GET orders with the raw token from before: {(int)orders}");
        story.Expect(orders == HttpStatusCode.Unauthorized && token.ExpiresAt > DateTimeOffset.UtcNow, "it was revoked, before its time");
    }

    private static Task<JobSession> StartAsync(IdentityEmulator emulator, Trust trust, string dataset, IAuditSink audit) => JobSession.StartAsync(b => b
        .Job(new JobContext { Pipeline = "orders-report", Dataset = dataset, Purpose = "report" })
        .JobFromRuntime(false)
        .Identity("job", IdentitySources.OidcFile(trust.Proof))
        .Target("warehouse", Targets.Rfc8693(emulator.Authorization.Issuer, o => o.Client.Id = Trust.ReportClientId), t =>
        {
            t.Identity = "job";
            t.Scopes = ScopeSet.Of("dataset:orders", "dataset:customers");
            t.AttestingIssuer = emulator.Issuer.OriginalString;
        })
        .PolicyFile(trust.PolicyFile)
        .Audit(audit));

    // In earnest a file of a repository, with its tests and its lint (docs/policy.md). Only the issuer's port is not known before this run.
    private static string Document(int revision, string dataset, Uri issuer) => $$"""
        { "version": 1, "revision": {{revision}}, "rules": [
          { "name": "orders-report", "effect": "permit", "reason": "The figures of the month.",
            "when":   { "target": "warehouse", "issuer": "{{issuer.OriginalString}}", "subject": "{{Trust.Subject}}", "job": { "dataset": "{{dataset}}" } },
            "limits": { "scopes": [ "dataset:orders" ], "attestedOnly": [ "run" ], "longestHandOut": "00:15:00" } } ] }
        """;

    // As a whole, and nobody else's to write.
    private static void Write(string path, string document)
    {
        string made = path + ".new";
        File.WriteAllText(made, document);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(made, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(made, path, overwrite: true);
    }

    private static async Task<(HttpStatusCode Status, string Challenge)> ReadRawAsync(IdentityEmulator emulator, BearerToken token, string dataset)
    {
        using var http = new HttpClient { BaseAddress = emulator.Warehouse.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Reveal());
        using HttpResponseMessage answer = await http.GetAsync($"api/datasets/{dataset}/rows?from=0&count=1");
        return (answer.StatusCode, answer.Headers.WwwAuthenticate.ToString());
    }

    /// <summary>An audit that keeps the last permit, to show it.</summary>
    private sealed class LastPermit : IAuditSink
    {
        public AuditEvent? Event { get; private set; }

        public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
        {
            if (auditEvent.Kind == AuditEventKind.Permitted)
                Event = auditEvent;
            return default;
        }
    }
}
