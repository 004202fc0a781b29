using System.Diagnostics.Metrics;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Nhi.TokenExchange;

/// <summary>Composes a job session: identities, targets, policy, audit. Does no I/O; all errors come together when the session starts, which reads the files of <c>TrustRoots</c> and <c>Policy</c>, looks for the folder of <c>KillSwitch</c> and opens those of <c>Journal</c> and of the audit, if they are named.</summary>
public sealed partial class TokenExchangeBuilder
{
    private readonly List<(string Path, IdentityPlan Plan)> _identities = [];
    private readonly List<TargetEntry> _targets = [];
    private readonly Kinds _kinds = BuiltInKinds.Make();
    private readonly ConfigurationErrors _errors = new();
    private JobContext _job = JobContext.Unnamed;
    private bool? _jobFromRuntime;
    private bool _namesTargets;
    private Func<string, string?> _environment = Environment.GetEnvironmentVariable;
    private IConfigurationSection? _section;
    private TimeProvider _time = TimeProvider.System;
    private Func<double>? _jitter;
    private ILoggerFactory _loggerFactory = NullLoggerFactory.Instance;
    private bool _hasLog;
    private ExchangeMeter _meter = ExchangeMeter.Shared;
    private Func<HttpMessageHandler>? _transport;
    private Func<HttpMessageHandler, HttpMessageHandler>? _around;
    private AdditionalRoots? _roots;

    internal TokenExchangeBuilder()
    {
    }

    /// <summary>Says which job this is. Goes to policy and audit.</summary>
    /// <param name="job">The facts of the job.</param>
    public TokenExchangeBuilder Job(JobContext job)
    {
        ArgumentNullException.ThrowIfNull(job);
        _job = job;
        return this;
    }

    /// <summary>
    /// Whether facts of the job that neither code nor configuration say are taken from the variables of the place where it runs: GitHub Actions, GitLab CI, Azure DevOps, Kubernetes. Default true. They are asserted, as the
    /// configuration's are; but a proof of the same platform that attests another run is refused (NHI2012). <see cref="JobContext.Origins"/> tells which variable said what.
    /// </summary>
    /// <param name="enabled">False reads no variable.</param>
    public TokenExchangeBuilder JobFromRuntime(bool enabled)
    {
        _jobFromRuntime = enabled;
        return this;
    }

    /// <summary>Declares an identity: one name, one source.</summary>
    /// <param name="name">The name: lower-case letters, digits and hyphens.</param>
    /// <param name="source">Where its proofs come from; see <see cref="IdentitySources"/>.</param>
    /// <param name="actsFor">Whether the configuration vouches that it is a workload's, where its proofs don't show it.</param>
    public TokenExchangeBuilder Identity(string name, IWorkloadIdentitySource source, ActsFor actsFor = ActsFor.Proven)
    {
        ArgumentNullException.ThrowIfNull(source);
        string path = $"Identities:{name}";
        if (_errors.CheckName(path, name))
            _identities.Add((path, new IdentityPlan(name, source, actsFor)));
        return this;
    }

    /// <summary>Declares a target.</summary>
    /// <param name="name">The name: lower-case letters, digits and hyphens.</param>
    /// <param name="exchanger">How its credentials are got; see <see cref="Targets"/>.</param>
    /// <param name="identity">The identity whose proof is exchanged.</param>
    /// <param name="scopes">The scopes to ask for; none leaves them to the issuer.</param>
    public TokenExchangeBuilder Target(string name, TokenExchanger exchanger, string identity, params ReadOnlySpan<string> scopes)
    {
        ScopeSet set = ScopeSet.Of(scopes);
        return Target(name, exchanger, options =>
        {
            options.Identity = identity;
            options.Scopes = set;
        });
    }

    /// <summary>Declares a target.</summary>
    /// <param name="name">The name: lower-case letters, digits and hyphens.</param>
    /// <param name="exchanger">How its credentials are got; see <see cref="Targets"/>.</param>
    /// <param name="configure">Identity or the target to go through, scopes, longest life, allowed origins.</param>
    public TokenExchangeBuilder Target(string name, TokenExchanger exchanger, Action<TargetOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(exchanger);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new TargetOptions();
        configure(options);
        _namesTargets = true;
        if (_errors.CheckName($"Targets:{name}", name))
            _targets.Add(new TargetEntry($"Targets:{name}", name, exchanger, options));
        return this;
    }

    /// <summary>Sets where log lines go. Default: nowhere.</summary>
    /// <param name="loggerFactory">Makes the logger of category <c>Nhi.TokenExchange</c>.</param>
    public TokenExchangeBuilder Logging(ILoggerFactory loggerFactory)
    {
        ArgumentNullException.ThrowIfNull(loggerFactory);
        _loggerFactory = loggerFactory;
        _hasLog = loggerFactory is not NullLoggerFactory;
        return this;
    }

    /// <summary>The log has no provider: nothing is read out of it, and it is the audit no more than if there were none.</summary>
    internal TokenExchangeBuilder WithoutLog()
    {
        _hasLog = false;
        return this;
    }

    /// <summary>Sets the clock. Default: the system's.</summary>
    /// <param name="time">Gives both hands: monotonic and wall.</param>
    public TokenExchangeBuilder Time(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        return this;
    }

    /// <summary>Sets the source of chance for refresh points and waits. Default: cryptographic.</summary>
    /// <param name="jitter">Gives numbers from 0 up to but not including 1, from any thread.</param>
    public TokenExchangeBuilder Jitter(Func<double> jitter)
    {
        ArgumentNullException.ThrowIfNull(jitter);
        _jitter = jitter;
        return this;
    }

    /// <summary>Trusts certificate authorities of your own when issuers are asked, beside those that the system trusts: for a private authority, or an emulator. Names and dates are verified all the same.</summary>
    /// <param name="roots">The authorities' certificates, at least one; private keys are not kept.</param>
    /// <exception cref="ArgumentException">There is none, or one is no certificate authority.</exception>
    public TokenExchangeBuilder TrustRoots(X509Certificate2Collection roots)
    {
        ArgumentNullException.ThrowIfNull(roots);
        _roots = new AdditionalRoots(roots);
        return this;
    }

    /// <summary>Makes the instruments by a factory, a container's. Default: a meter of the process.</summary>
    internal TokenExchangeBuilder Meters(IMeterFactory factory)
    {
        _meter = ExchangeMeter.Of(factory);
        return this;
    }

    /// <summary>Replaces the variables that the runtime set: for tests.</summary>
    internal TokenExchangeBuilder RuntimeVariables(Func<string, string?> environment)
    {
        _environment = environment;
        return this;
    }

    /// <summary>Replaces the wire below the back channel: for benchmarks and tests that need no socket.</summary>
    internal TokenExchangeBuilder Transport(Func<HttpMessageHandler> transport)
    {
        _transport = transport;
        return this;
    }

    /// <summary>Puts a handler around the wire below the back channel: it sees each request as it is sent, and each answer or failure as it comes.</summary>
    internal TokenExchangeBuilder Around(Func<HttpMessageHandler, HttpMessageHandler> around)
    {
        _around = around;
        return this;
    }

    /// <summary>Reads identities, targets, <c>Job</c>, <c>EndWithin</c>, <c>MaxDuration</c>, <c>KillSwitch</c>, <c>Journal</c>, <c>FailOnUnrevoked</c>, <c>Policy</c>, <c>Audit</c> and <c>TrustRoots</c> (the path of a PEM file) from a configuration too. What is said in code as well is added; of the job's facts, its times, its switch, its journal, its failing and the folder of its audit, code wins. There is one policy: in code or in the section.</summary>
    /// <param name="section">The section, such as <c>TokenExchange</c>. Its shape is closed: unknown settings and static secrets are refused. Read once, when the session starts; a reload changes nothing.</param>
    public TokenExchangeBuilder Configuration(IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(section);
        if (_section is not null)
            _errors.Add(section.Path, $"is the second section, after {_section.Path}", "Give one.");
        _section ??= section;
        _errors.Section = _section.Path;
        return this;
    }

    /// <summary>Lets a configuration name a kind of identity source: <c>"Source": "AcmeVault"</c>.</summary>
    /// <param name="kind">The word: letters and digits, compared exactly.</param>
    /// <param name="make">Makes a source of its settings. What it makes is disposed at the job's end, if it can be.</param>
    /// <exception cref="ArgumentException">The word is none, or is taken.</exception>
    public TokenExchangeBuilder IdentitySourceKind(string kind, Func<SettingsReader, IWorkloadIdentitySource> make)
    {
        _kinds.Add(kind, make);
        return this;
    }

    /// <summary>Lets a configuration name a kind of exchanger: <c>"Exchange": "AcmeSts"</c>.</summary>
    /// <param name="kind">The word: letters and digits, compared exactly.</param>
    /// <param name="make">Makes an exchanger of its settings. What it makes is disposed at the job's end, if it can be.</param>
    /// <exception cref="ArgumentException">The word is none, or is taken.</exception>
    public TokenExchangeBuilder ExchangerKind(string kind, Func<SettingsReader, TokenExchanger> make)
    {
        _kinds.Add(kind, make);
        return this;
    }

    internal SessionPlan Freeze() => Freeze(recoversOnly: false);

    /// <summary>As <see cref="Freeze()"/>, where no job is started: what was left behind is ended whatever a policy says.</summary>
    internal SessionPlan FreezeForRecovery() => Freeze(recoversOnly: true);

    private SessionPlan Freeze(bool recoversOnly)
    {
        var read = new SectionReading(_errors, _kinds);
        try
        {
            if (_section is not null)
                read.Read(_section);
            JobContext declared = _job.Over(read.Job);
            JobContext job = _jobFromRuntime ?? read.JobFromRuntime ?? true ? declared.Over(RuntimeFacts.Read(_environment)) : declared;
            if (!_namesTargets && read.Targets.Count == 0 && !read.IsLackOfTargetsSaid)
                _errors.Add(_section is null ? "Targets" : $"{_section.Path}:Targets", "has no entry", "Declare at least one target, in the section or by builder.Target(\"warehouse\", Targets.Databricks(host, clientId), identity: \"job\", \"sql\").");
            IReadOnlyList<TargetPlan> targets = new TargetFreezing(_errors, [.. _identities, .. read.Identities], [.. _targets, .. read.Targets], job, declared.Environment, read.AreIdentitiesRead).Freeze();
            if ((_policy ?? (object?)_policyFile) is not null && read.RemotePolicy is not null)
                _errors.Add($"{_section!.Path}:Policy", "is a second policy beside the one that code gives", "Keep one; a job has one policy.");
            string? killSwitch = _killSwitch ?? read.KillSwitch;
            CheckPlaces(read, killSwitch);
            AuditCollectorPlan? collector = FreezeCollector(read.Audit, targets);
            PolicyDocument? policy = ReadPolicyFile(read.PolicyFile);
            if (!recoversOnly)
                new StaticKeyFreezing(_errors, [.. _targets, .. read.Targets], _openers).Check(_time.GetUtcNow(), hasPolicy: (_policy ?? (object?)_policyFile ?? read.RemotePolicy) is not null || read.IsPolicySaid);
            _errors.ThrowIfAny();
            ILogger logger = _loggerFactory.CreateLogger("Nhi.TokenExchange"), quiet = new QuietLogger(logger);
            var turns = new InTurn();
            var log = new SessionLog(quiet, turns, _time, job, _meter);
            var unwaited = new UnwaitedLogger(quiet, log);
            return new SessionPlan(
                job, targets, FreezePolicy(policy, read.RemotePolicy, job, targets, unwaited, read.Owned), FreezeAudit(read.Audit, collector, logger, turns), _time, _jitter ?? CryptographicJitter,
                unwaited, log, _meter, _endOnSignals, _endWithin ?? read.EndWithin ?? TimeSpan.FromSeconds(10), _maxDuration ?? read.MaxDuration, killSwitch,
                _journal ?? read.Journal, _journalDisk, _failOnUnrevoked ?? read.FailOnUnrevoked ?? false, _transport, _around, _roots?.And(read.Roots) ?? read.Roots, _openers, read.Owned);
        }
        catch
        {
            read.DisposeOwned();
            throw;
        }
    }

    private static double CryptographicJitter() =>
        System.Security.Cryptography.RandomNumberGenerator.GetInt32(int.MaxValue) / (double)int.MaxValue;
}
