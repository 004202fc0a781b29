using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Nhi.TokenExchange;

/// <summary>Composes a job session: identities, targets, policy, audit. Does no I/O; all errors come together when the session starts.</summary>
public sealed class TokenExchangeBuilder
{
    private readonly Dictionary<string, IdentityPlan> _identities = new(StringComparer.Ordinal);
    private readonly List<(string Name, TokenExchanger Exchanger, TargetOptions Options)> _targets = [];
    private readonly ConfigurationErrors _errors = new();
    private JobContext _job = JobContext.Unnamed;
    private IAccessPolicy _policy = new AllowAllPolicy();
    private IAuditSink? _audit;
    private TimeProvider _time = TimeProvider.System;
    private Func<double>? _jitter;
    private ILoggerFactory _loggerFactory = NullLoggerFactory.Instance;
    private bool _endOnSignals = true;
    private TimeSpan _endWithin = TimeSpan.FromSeconds(10);
    private Func<HttpMessageHandler>? _transport;

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

    /// <summary>Declares an identity: one name, one source.</summary>
    /// <param name="name">The name: lower-case letters, digits and hyphens.</param>
    /// <param name="source">Where its proofs come from; see <see cref="IdentitySources"/>.</param>
    /// <param name="actsFor">Whether the configuration vouches that it is a workload's, where its proofs don't show it.</param>
    public TokenExchangeBuilder Identity(string name, IWorkloadIdentitySource source, ActsFor actsFor = ActsFor.Proven)
    {
        ArgumentNullException.ThrowIfNull(source);
        string path = $"Identities:{name}";
        if (_errors.CheckName(path, name) && !_identities.TryAdd(name, new IdentityPlan(name, source, actsFor)))
            _errors.Add(path, "is declared twice", "Give each identity a name of its own.");
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
        if (_errors.CheckName($"Targets:{name}", name))
            _targets.Add((name, exchanger, options));
        return this;
    }

    /// <summary>Sets the policy. Default: everything that is declared is permitted, and audited as such.</summary>
    /// <param name="policy">Decides at issue and at each refresh.</param>
    public TokenExchangeBuilder Policy(IAccessPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        _policy = policy;
        return this;
    }

    /// <summary>Sets the audit sink. Default: the log of <see cref="Logging"/>.</summary>
    /// <param name="sink">Records; what it can't record is not handed out.</param>
    public TokenExchangeBuilder Audit(IAuditSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        _audit = sink;
        return this;
    }

    /// <summary>Sets where log lines go. Default: nowhere.</summary>
    /// <param name="loggerFactory">Makes the logger of category <c>Nhi.TokenExchange</c>.</param>
    public TokenExchangeBuilder Logging(ILoggerFactory loggerFactory)
    {
        ArgumentNullException.ThrowIfNull(loggerFactory);
        _loggerFactory = loggerFactory;
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

    /// <summary>Whether SIGTERM, SIGINT (Ctrl-C), SIGQUIT and SIGHUP end the job before they end the process. Default true; off where a host ends the session.</summary>
    /// <param name="enabled">False leaves signals alone.</param>
    public TokenExchangeBuilder EndOnSignals(bool enabled)
    {
        _endOnSignals = enabled;
        return this;
    }

    /// <summary>How long the end of the job may take at most, all revocations together. Default 10 seconds; from 1 second to 5 minutes.</summary>
    /// <param name="limit">The deadline of <see cref="JobSession.CompleteAsync"/>.</param>
    public TokenExchangeBuilder EndWithin(TimeSpan limit)
    {
        if (limit < TimeSpan.FromSeconds(1) || limit > TimeSpan.FromMinutes(5))
            _errors.Add("EndWithin", $"is {limit}", "Give a time from 00:00:01 to 00:05:00.");
        else
            _endWithin = limit;
        return this;
    }

    /// <summary>Replaces the wire below the back channel: for benchmarks and tests that need no socket.</summary>
    internal TokenExchangeBuilder Transport(Func<HttpMessageHandler> transport)
    {
        _transport = transport;
        return this;
    }

    internal SessionPlan Freeze()
    {
        IReadOnlyList<TargetPlan> targets = FreezeTargets();
        _errors.ThrowIfAny();
        ILogger logger = _loggerFactory.CreateLogger("Nhi.TokenExchange");
        return new SessionPlan(
            _job, targets, _policy, _audit ?? new LoggerAuditSink(logger), _time, _jitter ?? CryptographicJitter,
            new QuietLogger(logger), _endOnSignals, _endWithin, _transport, []);
    }

    private List<TargetPlan> FreezeTargets()
    {
        var plans = new Dictionary<string, TargetPlan>(StringComparer.Ordinal);
        if (_targets.Count == 0)
            _errors.Add("Targets", "has no entry", "Declare at least one target: builder.Target(\"warehouse\", Targets.Databricks(host, clientId), identity: \"job\", \"sql\").");
        foreach ((string name, TokenExchanger exchanger, TargetOptions options) in _targets)
        {
            string path = $"Targets:{name}";
            if ((options.Identity is null) == (options.Through is null))
                _errors.Add(path, options.Identity is null ? "names neither Identity nor Through" : "names both Identity and Through", "Name exactly one: the identity whose proof is exchanged, or the target to go through.");
            if (options.MaxLifetime < TimeSpan.FromSeconds(1) || options.MaxLifetime > TimeSpan.FromHours(12))
                _errors.Add($"{path}:MaxLifetime", $"is {options.MaxLifetime}", "Give a time from 00:00:01 to 12:00:00.");
            foreach (Uri origin in options.AllowedOrigins)
            {
                if (!origin.IsAbsoluteUri || (origin.Scheme != Uri.UriSchemeHttps && !origin.IsLoopback) || origin.UserInfo.Length > 0)
                    _errors.Add($"{path}:AllowedOrigins", $"has {ExceptionText.Clean(origin.IsAbsoluteUri ? origin.GetLeftPart(UriPartial.Authority) : origin.OriginalString)}", "Give https origins, such as https://warehouse.example; http is for loopback only.");
            }
            var plan = new TargetPlan(
                name, exchanger, FindIdentity($"{path}:Identity", options.Identity), options.Through,
                FindIdentity($"{path}:Actor", options.Actor), options.Scopes, options.MaxLifetime, [.. options.AllowedOrigins]);
            if (!plans.TryAdd(name, plan))
                _errors.Add(path, "is declared twice", "Give each target a name of its own.");
        }
        return InOrderOfHops(plans);
    }

    private IdentityPlan? FindIdentity(string path, string? name)
    {
        if (name is null)
            return null;
        if (_identities.TryGetValue(name, out IdentityPlan? identity))
            return identity;
        _errors.Add(path, $"'{ExceptionText.Clean(name)}' is not among the identities: {string.Join(", ", _identities.Keys.Order(StringComparer.Ordinal))}", "Declare it, or name one of these.");
        return null;
    }

    private List<TargetPlan> InOrderOfHops(Dictionary<string, TargetPlan> plans)
    {
        var ordered = new List<TargetPlan>(plans.Count);
        foreach (TargetPlan first in plans.Values)
        {
            var hops = new List<TargetPlan>();
            for (TargetPlan? hop = first; hop is not null && !ordered.Contains(hop); hop = Next(hop))
            {
                if (hops.Contains(hop))
                {
                    _errors.Add($"Targets:{first.Name}:Through", $"goes in a circle: {string.Join(" -> ", hops.Append(hop).Select(h => h.Name))}", "Let one of them start from an identity.", ErrorCodes.CyclicTargets);
                    break;
                }
                hops.Add(hop);
            }
            hops.Reverse();
            ordered.AddRange(hops.Where(hop => !ordered.Contains(hop)));
        }
        return ordered;

        TargetPlan? Next(TargetPlan plan)
        {
            if (plan.Through is null)
                return null;
            if (!plans.TryGetValue(plan.Through, out TargetPlan? next))
                _errors.Add($"Targets:{plan.Name}:Through", $"'{ExceptionText.Clean(plan.Through)}' is not among the targets: {string.Join(", ", plans.Keys.Order(StringComparer.Ordinal))}", "Declare it, or name one of these.");
            else if (next.Exchanger.CredentialType != typeof(BearerToken))
                _errors.Add($"Targets:{plan.Name}:Through", $"'{next.Name}' gives a {next.Exchanger.CredentialType.Name}", "Only a target that gives a bearer token can be gone through.");
            return next;
        }
    }

    private static double CryptographicJitter() =>
        System.Security.Cryptography.RandomNumberGenerator.GetInt32(int.MaxValue) / (double)int.MaxValue;
}
