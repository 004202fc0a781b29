namespace Nhi.TokenExchange;

/// <summary>How events are sent to the collector of <see cref="TokenExchangeBuilder.AuditCollector"/>.</summary>
public sealed class AuditCollectorOptions
{
    /// <summary>Whether what can't be recorded in the spool is not handed out. Default true: recorded is flushed to the spool's disk, not taken by the collector, so that one that is down stops no job before the spool is full. False: nobody waits for it, and events that it can't take are dropped and counted.</summary>
    public bool IsRequired { get; set; } = true;

    /// <summary>The name of a target of the job whose bearer token authenticates, and whose <see cref="TargetOptions.AllowedOrigins"/> hold the collector's. Null: nothing does, as for a collector on loopback. What the job's end leaves is sent by the next start then, for at the end there is no credential any more.</summary>
    public string? Target { get; set; }

    /// <summary>How the events of a batch are written.</summary>
    public AuditCollectorFormat Format { get; set; }

    /// <summary>Sent as the query <c>api-version</c>, such as 2023-01-01; null: there is no query.</summary>
    public string? ApiVersion { get; set; }

    /// <summary>How much the spool's folder may hold, in bytes, set aside events among it. Default 64 MiB; from 1 MiB to 16 GiB. The events of <see cref="Target"/>, without which a full spool could not be sent, have one sixteenth more, and then some now and then, up to four times as much.</summary>
    public long SpoolBytes { get; set; } = 64L << 20;

    internal IEnumerable<(string Setting, string What, string Remedy)> Flaws
    {
        get
        {
            if (SpoolBytes is < 1L << 20 or > 16L << 30)
                yield return ("SpoolBytes", FormattableString.Invariant($"is {SpoolBytes}"), "Give a number of bytes from 1048576 to 17179869184.");
            if (ApiVersion is not null && (ApiVersion.Length is 0 or > 40 || ApiVersion.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.'))))
                yield return ("ApiVersion", "is no version", "Write it as the collector's page does, such as 2023-01-01.");
        }
    }
}
