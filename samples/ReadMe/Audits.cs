using Nhi.TokenExchange;

namespace ReadMe;

/// <summary>Where a job's audit is recorded.</summary>
internal static class Audits
{
    public static Task<JobSession> StartAsync(IAuditSink siem, CancellationToken cancellationToken) =>
        #region sinks
        JobSession.StartAsync(b => Compose(b)
            .AuditFolder("/var/lib/orders/audit")   // has to record: a chain of lines, flushed to the disk
            .AuditToLog()                           // and the log, where OpenTelemetry and others take it
            .AuditBestEffort(siem),                 // told, but never waited for
        cancellationToken);
        #endregion

    public static Task<JobSession> StartAsync(TokenExchanger<BearerToken> siem, CancellationToken cancellationToken) =>
        #region collector
        JobSession.StartAsync(b => Compose(b)
            .Target("siem", siem, identity: "job", "https://monitor.azure.com/.default")
            .AuditCollector(new Uri("https://orders.westeurope-1.ingest.monitor.azure.com/dataCollectionRules/dcr-1/streams/Custom-Nhi"), "/var/lib/orders/spool", o =>
            {
                o.Target = "siem";                            // its bearer token authenticates; no key has a place here
                o.Format = AuditCollectorFormat.JsonArray;
                o.ApiVersion = "2023-01-01";
            }),
        cancellationToken);
        #endregion

    private static TokenExchangeBuilder Compose(TokenExchangeBuilder builder) => builder
        .Identity("job", IdentitySources.OidcFile("/var/run/secrets/job/token"))
        .Target("warehouse", Targets.Databricks(new Uri("https://workspace.example"), clientId: "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10"), identity: "job", "sql");
}
