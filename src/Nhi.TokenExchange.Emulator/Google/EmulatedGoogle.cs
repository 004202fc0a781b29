using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>The emulated Google Cloud: the Security Token Service with workload identity federation and access boundaries, and <c>generateAccessToken</c> of the IAM Service Account Credentials API.</summary>
/// <remarks>Pages: "Method: token" (Security Token Service), "Workload Identity Federation", "Method: projects.serviceAccounts.generateAccessToken", "Downscope with Credential Access Boundaries". It ends no token before its time, as the real one does not.</remarks>
public sealed class EmulatedGoogle
{
    internal const string Service = "//iam.googleapis.com/";

    private readonly ConcurrentDictionary<string, PoolProvider> _providers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, EmulatedServiceAccount> _accounts = new(StringComparer.Ordinal);
    private readonly GoogleStsDesk _sts;
    private readonly GoogleIamDesk _iam;
    private readonly string _origin;

    internal EmulatedGoogle(string origin, ProofIssuers issuers, Ledger ledger, EmulatorCanaries canaries, EmulatorOptions options)
    {
        _origin = origin;
        var tokens = new GoogleTokens(origin, canaries.Google, ledger, options.Time);
        _sts = new GoogleStsDesk(this, tokens, issuers, options);
        _iam = new GoogleIamDesk(this, tokens, options.Time);
    }

    /// <summary>The address of both services: <c>/v1/token</c>, and <c>/v1/projects/-/serviceAccounts/…:generateAccessToken</c>.</summary>
    public Uri Endpoint => new(_origin);

    /// <summary>The number of the project.</summary>
    public string ProjectNumber { get; } = "123456789012";

    /// <summary>Adds a provider that takes proofs of the emulator's own issuer.</summary>
    /// <param name="pool">The pool's id.</param>
    /// <param name="id">The provider's id.</param>
    /// <returns>The provider, to be refined.</returns>
    /// <exception cref="ArgumentException">It is there already.</exception>
    public PoolProvider AddProvider(string pool, string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(pool);
        ArgumentException.ThrowIfNullOrEmpty(id);
        var provider = new PoolProvider(ProjectNumber, pool, id);
        return _providers.TryAdd(Service + provider.Name, provider) ? provider : throw new ArgumentException($"The provider '{provider.Name}' is there already.", nameof(id));
    }

    /// <summary>Adds a service account.</summary>
    /// <param name="email">Its email.</param>
    /// <param name="subjects">The workloads that may act as it.</param>
    /// <returns>The service account, to be refined.</returns>
    /// <exception cref="ArgumentException">It is there already.</exception>
    public EmulatedServiceAccount AddServiceAccount(string email, params IEnumerable<string> subjects)
    {
        ArgumentException.ThrowIfNullOrEmpty(email);
        ArgumentNullException.ThrowIfNull(subjects);
        var account = new EmulatedServiceAccount(email);
        foreach (string subject in subjects)
            account.WorkloadIdentityUsers.Add(subject);
        return _accounts.TryAdd(email, account) ? account : throw new ArgumentException($"The service account '{email}' is there already.", nameof(email));
    }

    internal static EmulatorEndpoint? Find(string path) =>
        path == "/v1/token" ? EmulatorEndpoint.GoogleSts : path.StartsWith(GoogleIamDesk.Path, StringComparison.Ordinal) ? EmulatorEndpoint.GoogleIam : null;

    internal PoolProvider? FindProvider(string audience) => _providers.GetValueOrDefault(audience);

    internal EmulatedServiceAccount? FindAccount(string email) => _accounts.GetValueOrDefault(email);

    internal Task<EmulatorAnswer> ExchangeAsync(EmulatorRequest request) => _sts.AnswerAsync(request);

    internal Task<EmulatorAnswer> ActAsync(EmulatorRequest request) => _iam.AnswerAsync(request);
}
