using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

// Where it is recorded.
public sealed partial class TokenExchangeBuilder
{
    private readonly List<IAuditSink> _requiredSinks = [];
    private readonly List<IAuditSink> _bestEffortSinks = [];
    private string? _auditFolder;
    private AuditFolderOptions _auditOptions = new();
    private bool _auditsToLog;
    private Disk _disk = Disk.System;

    /// <summary>Adds an audit sink that has to record: an exchange waits for all of them, and what one can't record is not handed out. Where nothing is said of the audit, here or in settings, it is the log of <see cref="Logging"/>.</summary>
    /// <param name="sink">Records. Shared by all sessions, and not disposed.</param>
    public TokenExchangeBuilder Audit(IAuditSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        _requiredSinks.Add(sink);
        return this;
    }

    /// <summary>Adds an audit sink that no exchange waits for. What it fails at, or is more than sixteen thousand events behind with, is dropped, counted (<c>nhi.audit.dropped</c>) and said to the log; at the job's end it has two seconds for the rest.</summary>
    /// <param name="sink">Records, as one that is required.</param>
    public TokenExchangeBuilder AuditBestEffort(IAuditSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        _bestEffortSinks.Add(sink);
        return this;
    }

    /// <summary>Records in files, too: each session writes a chain of lines of its own, each with the hash of the one before. Recorded means flushed to the disk.</summary>
    /// <param name="folder">Absolute. If it is missing in a folder that is there, it is made, for the job's user alone. Nothing in it is ever changed or deleted.</param>
    /// <param name="configure">Sets how.</param>
    public TokenExchangeBuilder AuditFolder(string folder, Action<AuditFolderOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var options = new AuditFolderOptions();
        configure?.Invoke(options);
        if (options.Flaw is { } flaw)
            _errors.Add($"AuditFolder:{flaw.Setting}", flaw.What, flaw.Remedy);
        _auditFolder = Whole("AuditFolder", folder, "is not the absolute path of a folder, without a separator at its end");
        _auditOptions = options;
        return this;
    }

    /// <summary>Records in the log of <see cref="Logging"/>, too, beside what else is said of the audit. It is as durable as that log.</summary>
    public TokenExchangeBuilder AuditToLog()
    {
        _auditsToLog = true;
        return this;
    }

    /// <summary>Replaces the disk below the audit's files: for tests.</summary>
    internal TokenExchangeBuilder AuditDisk(Disk disk)
    {
        _disk = disk;
        return this;
    }

    private AuditPlan FreezeAudit(AuditSection? read, ILogger logger)
    {
        AuditFolderOptions options = _auditFolder is null && read is not null ? read.Options : _auditOptions;
        AuditFolderPlan? folder = (_auditFolder ?? read?.Folder) is { } path ? new AuditFolderPlan(path, options.IsRequired, options.PartBytes, options.AnchorEvery, _disk) : null;
        bool hasToRecord = folder is { IsRequired: true } || _requiredSinks.Count > 0;   // else the log has to, whatever is told beside it
        IAuditSink[] log = !hasToRecord || _auditsToLog || read is { Log: true } ? [new LoggerAuditSink(logger)] : [];
        return new AuditPlan([.. _requiredSinks, .. log], [.. _bestEffortSinks], folder);
    }
}
