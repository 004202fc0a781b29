using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

// Where it is recorded.
public sealed partial class TokenExchangeBuilder
{
    private readonly List<IAuditSink> _requiredSinks = [];
    private readonly List<IAuditSink> _bestEffortSinks = [];
    private string? _auditFolder;
    private AuditFolderOptions _auditOptions = new();
    private (Uri Endpoint, string Spool, AuditCollectorOptions Options)? _auditCollector;
    private readonly List<string> _auditClaims = [];
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

    /// <summary>Sends events to a collector over HTTP, in batches and in order. They wait for it in a spool on the disk, which outlives the process: recorded is flushed there, and what one job leaves the next one sends.</summary>
    /// <param name="endpoint">Where batches are posted to: https, or http on loopback; no user, no query, no fragment.</param>
    /// <param name="spool">A folder of its own, absolute, which several jobs of one user may share. If it is missing in a folder that is there, it is made, for the job's user alone.</param>
    /// <param name="configure">Sets how.</param>
    public TokenExchangeBuilder AuditCollector(Uri endpoint, string spool, Action<AuditCollectorOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentException.ThrowIfNullOrEmpty(spool);
        var options = new AuditCollectorOptions();
        configure?.Invoke(options);
        foreach ((string setting, string what, string remedy) in options.Flaws)
            _errors.Add($"AuditCollector:{setting}", what, remedy);
        if (HttpsAddress.TryRead(endpoint.OriginalString, originOnly: false, out string flaw, out string cure) is null)
            _errors.Add("AuditCollector:endpoint", flaw, cure);
        _auditCollector = (endpoint, Whole("AuditCollector:spool", spool, "is not the absolute path of a folder, without a separator at its end") ?? spool, options);
        return this;
    }

    /// <summary>Records in the log of <see cref="Logging"/>, too, beside what else is said of the audit. It is as durable as that log.</summary>
    public TokenExchangeBuilder AuditToLog()
    {
        _auditsToLog = true;
        return this;
    }

    /// <summary>Has the events of a proof tell some of its claims, beside issuer, subject and audience. Claims can be a person's, so none is told that is not named.</summary>
    /// <param name="names">The names, at most 8; a nested one by its path, such as <c>kubernetes.io/namespace</c>. Told are texts, 256 characters of each; what a proof does not have is left out.</param>
    public TokenExchangeBuilder AuditClaims(params ReadOnlySpan<string> names)
    {
        _auditClaims.AddRange(names);
        return this;
    }

    /// <summary>Replaces the disk below the audit's files: for tests.</summary>
    internal TokenExchangeBuilder AuditDisk(Disk disk)
    {
        _disk = disk;
        return this;
    }

    // Before anything is made: all errors are said at once.
    private AuditCollectorPlan? FreezeCollector(AuditSection? read, IReadOnlyList<TargetPlan> targets)
    {
        if (AuditSection.FlawOf([.. _auditClaims, .. read?.Claims ?? []]) is { } wrong && _auditClaims.Count > 0)
            _errors.Add("AuditClaims", wrong, AuditSection.ClaimRemedy);
        (Uri Endpoint, string Spool, AuditCollectorOptions Options)? said = _auditCollector ?? (read?.Collector is { } section ? (section.Endpoint, section.Spool, section.Options) : null);
        if (said is not { } collector)
            return null;
        string path = _auditCollector is null ? $"{_section!.Path}:Audit:Collector" : "AuditCollector";
        if (Path.TrimEndingDirectorySeparator(Path.GetFullPath(collector.Spool)) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(_auditFolder ?? read?.Folder ?? "/")))
            _errors.Add($"{path}:Spool", "is the folder of the audit's files", "Name another: what is sent is taken away there.");
        if (collector.Options.Target is { } name)
            CheckCredential($"{path}:Target", name, collector.Endpoint, targets);
        Uri endpoint = collector.Options.ApiVersion is { } version ? new UriBuilder(collector.Endpoint) { Query = $"api-version={version}" }.Uri : collector.Endpoint;
        return new AuditCollectorPlan(endpoint, collector.Spool, collector.Options.IsRequired, collector.Options.Target, collector.Options.Format, collector.Options.SpoolBytes, _disk) { Hops = HopsOf(collector.Options.Target, targets) };
    }

    private static List<string> HopsOf(string? name, IReadOnlyList<TargetPlan> targets)
    {
        var hops = new List<string>();
        while ((name = targets.FirstOrDefault(target => target.Name == name)?.Through) is not null && !hops.Contains(name))   // a circle is an error that is told with the others
            hops.Add(name);
        return hops;
    }

    private void CheckCredential(string path, string name, Uri endpoint, IReadOnlyList<TargetPlan> targets)
    {
        if (targets.FirstOrDefault(target => target.Name == name) is not { } target)
            _errors.Add(path, "is not among the targets", UnknownTarget.RemedyOf(name, [.. targets.Select(one => one.Name)]));
        else if (target.Exchanger is not PlaceholderExchanger && target.Exchanger.CredentialType != typeof(BearerToken))
            _errors.Add(path, $"gives a {target.Exchanger.CredentialType.Name}", "Name a target that gives a bearer token.");
        else if (target.Exchanger is not PlaceholderExchanger && target.Origins.All(origin => Origin.Of(origin) != Origin.Of(endpoint)))
            _errors.Add(path, "may not be sent to the collector", $"Put {Origin.Of(endpoint)} into the target's AllowedOrigins.");
    }

    private AuditPlan FreezeAudit(AuditSection? read, AuditCollectorPlan? collector, ILogger logger, InTurn turns)
    {
        AuditFolderOptions options = _auditFolder is null && read is not null ? read.Options : _auditOptions;
        AuditFolderPlan? folder = (_auditFolder ?? read?.Folder) is { } path ? new AuditFolderPlan(path, options.IsRequired, options.PartBytes, options.AnchorEvery, _disk) : null;
        bool hasToRecord = folder is { IsRequired: true } || collector is { IsRequired: true } || _requiredSinks.Count > 0;   // else the log has to, whatever is told beside it
        bool isAskedFor = _auditsToLog || read is { Log: true };
        IAuditSink[] log = !hasToRecord || isAskedFor ? [new LoggerAuditSink(logger, _hasLog || isAskedFor, turns)] : [];
        return new AuditPlan([.. _requiredSinks, .. log], [.. _bestEffortSinks], folder, collector, [.. _auditClaims, .. read?.Claims ?? []]);
    }
}
