namespace Nhi.TokenExchange;

/// <summary>How the events of a batch are written.</summary>
public enum AuditCollectorFormat
{
    /// <summary>One event a line (<c>application/x-ndjson</c>): Vector, Fluent Bit, Logstash.</summary>
    JsonLines,

    /// <summary>One JSON array (<c>application/json</c>): Azure Monitor's Logs Ingestion API.</summary>
    JsonArray,
}
