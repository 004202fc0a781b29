using System.Security.Cryptography;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>The ground truth: what was issued, used, refused and revoked, seen from the servers' side. Safe to use from any number of threads.</summary>
/// <remarks>It knows tokens by fingerprint only, so it can be printed. Lists are snapshots in the order things happened.</remarks>
public sealed class Ledger
{
    private static readonly EmulatorEndpoint[] TokenEndpoints =
        [EmulatorEndpoint.AuthorizationToken, EmulatorEndpoint.DatabricksToken, EmulatorEndpoint.EntraToken, EmulatorEndpoint.ManagedIdentityToken, EmulatorEndpoint.AwsSts, EmulatorEndpoint.GoogleSts];

    private readonly Lock _gate = new();
    private readonly List<LedgerIssue> _issued = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    private readonly List<LedgerUse> _uses = [];
    private readonly List<LedgerRefusal> _refusals = [];
    private readonly List<LedgerOverlap> _overlaps = [];
    private readonly Dictionary<string, string> _undelivered = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;

    internal Ledger(TimeProvider time) => _time = time;

    /// <summary>Every token issued, with its present state.</summary>
    public IReadOnlyList<LedgerIssue> Issued
    {
        get
        {
            lock (_gate)
                return [.. _issued];
        }
    }

    /// <summary>Every use at a protected API: the warehouse, the Databricks-style or the Azure-style one; at AWS <c>GetCallerIdentity</c>.</summary>
    public IReadOnlyList<LedgerUse> Uses
    {
        get
        {
            lock (_gate)
                return [.. _uses];
        }
    }

    /// <summary>Every refused request of a token, revocation or introspection endpoint, of an Entra endpoint, of a managed identity host, of AWS or of Google Cloud. A planned fault is no refusal.</summary>
    public IReadOnlyList<LedgerRefusal> Refusals
    {
        get
        {
            lock (_gate)
                return [.. _refusals];
        }
    }

    /// <summary>Every request that came while another one for the same credential was in flight. A client that shares its exchanges causes none.</summary>
    public IReadOnlyList<LedgerOverlap> Overlaps
    {
        get
        {
            lock (_gate)
                return [.. _overlaps];
        }
    }

    /// <summary>How many requests came, and how many at once.</summary>
    public RequestCounts Requests { get; } = new();

    /// <summary>The most requests that any token endpoint had in flight at once.</summary>
    public int MaxConcurrentExchanges => TokenEndpoints.Max(Requests.MostAtOnce);

    /// <summary>The most requests for one and the same credential (client, grant, scope, audience, resource) in flight at once.</summary>
    public int MaxConcurrentExchangesPerKey => Requests.MostAtOncePerKey;

    /// <summary>The fingerprint of a token: the first 16 hex digits, in lower case, of the SHA-256 of its UTF-8 text.</summary>
    /// <param name="token">The token; it is not kept.</param>
    public static string FingerprintOf(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)))[..16];
    }

    /// <summary>Whether the token was issued, is not past its end and not revoked, on the emulator's clock now.</summary>
    /// <param name="fingerprint">See <see cref="FingerprintOf"/>.</param>
    public bool IsAlive(string fingerprint) => Find(fingerprint) is { RevokedAt: null } issue && _time.GetUtcNow() < issue.EndsAt;

    internal LedgerIssue? Find(string fingerprint)
    {
        lock (_gate)
            return _places.TryGetValue(fingerprint, out int place) ? _issued[place] : null;
    }

    internal void Add(LedgerIssue issue)
    {
        lock (_gate)
        {
            _places.Add(issue.Fingerprint, _issued.Count);
            _issued.Add(issue);
            _undelivered[issue.RequestId] = issue.Fingerprint;
        }
    }

    internal void Add(LedgerUse use)
    {
        lock (_gate)
            _uses.Add(use);
    }

    internal void Add(LedgerRefusal refusal)
    {
        lock (_gate)
            _refusals.Add(refusal);
    }

    internal void Add(LedgerOverlap overlap)
    {
        lock (_gate)
            _overlaps.Add(overlap);
    }

    /// <summary>The answer to that request was written, whole or not.</summary>
    internal void MarkAnswered(string requestId, bool isWhole)
    {
        lock (_gate)
        {
            if (_undelivered.Remove(requestId, out string? fingerprint) && isWhole)
                _issued[_places[fingerprint]] = _issued[_places[fingerprint]] with { DeliveredAt = _time.GetUtcNow() };
        }
    }

    internal void MarkRevoked(string fingerprint)
    {
        lock (_gate)
        {
            if (_places.TryGetValue(fingerprint, out int place))
                _issued[place] = _issued[place] with { RevokedAt = _issued[place].RevokedAt ?? _time.GetUtcNow() };
        }
    }

    /// <summary>Somebody asked to end it, by the token or by its handle.</summary>
    internal void MarkRevocationAsked(string? fingerprint, string? handle = null)
    {
        lock (_gate)
        {
            int place = fingerprint is not null ? _places.GetValueOrDefault(fingerprint, -1) : _issued.FindIndex(issue => issue.Handle == handle);
            if (place >= 0)
                _issued[place] = _issued[place] with { RevocationsAsked = _issued[place].RevocationsAsked + 1 };
        }
    }

    /// <summary>Its life was lengthened, left as it was, or cut to what was asked for.</summary>
    internal void MarkRenewed(string fingerprint, DateTimeOffset endsAt)
    {
        lock (_gate)
        {
            if (_places.TryGetValue(fingerprint, out int place))
                _issued[place] = _issued[place] with { EndsAt = endsAt, Renewals = _issued[place].Renewals + (endsAt > _issued[place].EndsAt ? 1 : 0) };
        }
    }
}
