using System.Security.Cryptography;

namespace Nhi.TokenExchange;

/// <summary>
/// The emulated HashiCorp Vault (or OpenBao): logins by JWT that are verified, tokens and dynamic secrets with leases that are renewed up to their maximum, revoked, and end with their login; key-value engines of both versions; namespaces, response wrapping.
/// </summary>
/// <remarks>Pages: "JWT/OIDC Auth Method", "/auth/token", "/sys/leases", "Response Wrapping", "KV Secrets Engine". Roles and secrets are set up before the first request that needs them.</remarks>
public sealed class EmulatedVault
{
    private readonly Dictionary<(string Namespace, string Mount, string Role), VaultRole> _roles = [];
    private readonly Dictionary<(string Namespace, string Path), VaultSecretRole> _secrets = [];
    private readonly Dictionary<(string Namespace, string Mount), VaultKeyValue> _engines = [];
    private readonly TimeProvider _time;
    private readonly SortedSet<string> _namespaces = new(StringComparer.Ordinal) { "" };
    private readonly VaultBooks _books;
    private readonly VaultDesk _desk;

    internal EmulatedVault(string origin, ProofIssuers issuers, Ledger ledger, EmulatorCanaries canaries, EmulatorOptions options)
    {
        Origin = origin;
        _time = options.Time;
        _books = new VaultBooks(origin, canaries.Vault, ledger, options.Time);
        RootToken = _books.AddRoot($"hvs.{canaries.Vault}{RandomNumberGenerator.GetHexString(48, lowercase: true)}").Text;
        _desk = new VaultDesk(this, _books, new VaultLogins(this, _books, issuers, options), new VaultSecretMaking(this, _books, canaries.Vault, options.Time), ledger, canaries.Vault, options.Time);
    }

    /// <summary>The address.</summary>
    public Uri Address => new(Origin);

    /// <summary>The token that may do everything: for what an operator does in a test. New for each start.</summary>
    public string RootToken { get; }

    /// <summary>How many tokens live now, the root token aside.</summary>
    public int OpenTokens => _books.OpenTokens;

    /// <summary>How many leases of dynamic secrets live now, after <see cref="EndQueuedLeases"/>.</summary>
    public int OpenLeases => _books.OpenLeases;

    /// <summary>How many of those Vault has given up: their secrets engine could not end them six times (<see cref="VaultSecretRole.CannotEnd"/>). A revocation with <c>sync</c> tries again.</summary>
    public int IrrevocableLeases => _books.IrrevocableLeases;

    internal string Origin { get; }

    /// <summary>Adds a role of the JWT auth method that trusts the emulator's own issuer.</summary>
    /// <param name="name">The role's name.</param>
    /// <param name="subject">The exact subject.</param>
    /// <param name="mount">Where the method is mounted; the Kubernetes auth method is one at <c>kubernetes</c> with the subject of a service account.</param>
    /// <param name="ns">The namespace; empty: the root.</param>
    /// <returns>The role, to be refined.</returns>
    /// <exception cref="ArgumentException">The role is there already.</exception>
    public VaultRole AddRole(string name, string subject, string mount = "jwt", string ns = "")
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(subject);
        var role = new VaultRole(name, subject) { BoundAudiences = { Origin } };
        _namespaces.Add(ns);
        return _roles.TryAdd((ns, mount, name), role) ? role : throw new ArgumentException($"The role '{name}' is there already.", nameof(name));
    }

    /// <summary>Adds a path at which each read makes a new secret.</summary>
    /// <param name="path">Below <c>/v1/</c>, such as <c>database/creds/readonly</c>.</param>
    /// <param name="shape">What it makes.</param>
    /// <param name="ns">The namespace; empty: the root.</param>
    /// <returns>The path's settings, to be refined.</returns>
    /// <exception cref="ArgumentException">The path is there already.</exception>
    public VaultSecretRole AddSecret(string path, VaultSecretShape shape = VaultSecretShape.Database, string ns = "")
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var secret = new VaultSecretRole(path, shape) { IsRenewable = shape != VaultSecretShape.Aws };
        _namespaces.Add(ns);
        return _secrets.TryAdd((ns, path), secret) ? secret : throw new ArgumentException($"The path '{path}' is there already.", nameof(path));
    }

    /// <summary>Mounts a key-value engine, which keeps static secrets.</summary>
    /// <param name="mount">Where.</param>
    /// <param name="hasVersions">Whether it is version 2 of the engine.</param>
    /// <param name="ns">The namespace; empty: the root.</param>
    /// <returns>The engine, to be filled.</returns>
    /// <exception cref="ArgumentException">Something is mounted there already.</exception>
    public VaultKeyValue AddKeyValue(string mount = "secret", bool hasVersions = true, string ns = "")
    {
        ArgumentException.ThrowIfNullOrEmpty(mount);
        var engine = new VaultKeyValue(mount, hasVersions, _time);
        _namespaces.Add(ns);
        return _engines.TryAdd((ns, mount), engine) ? engine : throw new ArgumentException($"There is an engine at '{mount}' already.", nameof(mount));
    }

    /// <summary>Tries once to end each lease that is queued: those of tokens that have ended, and those that were revoked without <c>sync</c>. As at a real Vault that comes after the answer.</summary>
    /// <remarks>Each further request does it first, too. Who looks at the ledger with none in between calls this before.</remarks>
    public void EndQueuedLeases() => _books.EndQueued();

    internal static EmulatorEndpoint? Find(string path) =>
        !path.StartsWith("/v1/", StringComparison.Ordinal) ? null
        : path.Contains("/auth/token/", StringComparison.Ordinal) ? EmulatorEndpoint.VaultToken
        : path.Contains("/auth/", StringComparison.Ordinal) && path.EndsWith("/login", StringComparison.Ordinal) ? EmulatorEndpoint.VaultLogin
        : path.Contains("/sys/leases/", StringComparison.Ordinal) ? EmulatorEndpoint.VaultLease
        : path.Contains("/sys/wrapping/", StringComparison.Ordinal) ? EmulatorEndpoint.VaultWrapping
        : EmulatorEndpoint.VaultSecret;

    /// <summary>Header and prefix of the path may be mixed: they concatenate.</summary>
    internal (string Namespace, string Path) Locate(EmulatorRequest request)
    {
        string ns = (request.Header("X-Vault-Namespace") ?? "").Trim('/');
        string path = request.Path["/v1/".Length..];
        foreach (string longer in _namespaces.Where(one => one.Length > ns.Length && one.StartsWith(ns, StringComparison.Ordinal)).Reverse())
        {
            string rest = longer[ns.Length..].TrimStart('/') + "/";
            if (path.StartsWith(rest, StringComparison.Ordinal))
                return (longer, path[rest.Length..]);
        }
        return (ns, path);
    }

    internal bool HasMount(string ns, string mount) => _roles.Keys.Any(key => key.Namespace == ns && key.Mount == mount);

    internal VaultRole? FindRole(string ns, string mount, string name) => _roles.GetValueOrDefault((ns, mount, name));

    internal VaultSecretRole? FindSecret(string ns, string path) => _secrets.GetValueOrDefault((ns, path));

    /// <summary>The key-value engine whose mount a path begins with; null if there is none.</summary>
    internal VaultKeyValue? FindKeyValue(string ns, string path) => _engines.Where(one => one.Key.Namespace == ns && path.StartsWith(one.Key.Mount + "/", StringComparison.Ordinal)).Select(one => one.Value).FirstOrDefault();

    internal Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request) => _desk.AnswerAsync(request);
}
