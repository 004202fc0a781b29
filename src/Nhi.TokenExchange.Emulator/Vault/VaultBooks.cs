using System.Security.Cryptography;

namespace Nhi.TokenExchange;

/// <summary>Tokens and leases of the emulated Vault, and how one ends with the other. Safe to use from any number of threads.</summary>
internal sealed class VaultBooks(string issuer, string canary, Ledger ledger, TimeProvider time)
{
    // "maxRevokeAttempts": after so many tries Vault leaves a lease alone.
    private const int MostTries = 6;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, VaultToken> _tokens = new(StringComparer.Ordinal);
    private readonly Dictionary<string, VaultLease> _leases = new(StringComparer.Ordinal);

    public int OpenTokens => Count(() => _tokens.Values.Count(token => !token.IsGone && !token.IsRoot));

    public int OpenLeases => Count(() => _leases.Values.Count(lease => !lease.IsGone));

    public int IrrevocableLeases => Count(() => _leases.Values.Count(lease => lease.Tries == MostTries));

    /// <summary>Makes a token and writes it into the ledger before anybody sees it.</summary>
    public VaultToken AddToken(string ns, string role, string subject, string path, IReadOnlyList<string> audience, TimeSpan ttl, Func<TimeSpan> maxTtl, bool batch, int uses, IReadOnlyList<string> paths, bool hasDefault, VaultToken? parent, string requestId)
    {
        DateTimeOffset now = time.GetUtcNow();
        string text = $"{(batch ? "hvb" : "hvs")}.{canary}{RandomNumberGenerator.GetHexString(48, lowercase: true)}";
        var token = new VaultToken
        {
            Text = text, Fingerprint = Ledger.FingerprintOf(text), Accessor = batch ? null : RandomNumberGenerator.GetHexString(24, lowercase: true), Namespace = ns, Role = role, Subject = subject, Paths = paths,
            HasDefaultPolicy = hasDefault, Parent = parent, IssuedAt = now, Ttl = ttl, MaxTtl = maxTtl, IsRoot = false, UsesLeft = uses, EndsAt = now + (ttl < maxTtl() ? ttl : maxTtl()),
        };
        lock (_gate)
            _tokens.Add(text, token);
        ledger.Add(new LedgerIssue
        {
            Fingerprint = token.Fingerprint, Issuer = issuer, ClientId = role, Subject = subject, Scope = path, Audience = audience, IssuedAt = now, EndsAt = token.EndsAt, RequestId = requestId, Handle = token.Accessor,
        });
        return token;
    }

    public VaultToken AddRoot(string text)
    {
        DateTimeOffset now = time.GetUtcNow();
        var token = new VaultToken
        {
            Text = text, Fingerprint = Ledger.FingerprintOf(text), Accessor = RandomNumberGenerator.GetHexString(24, lowercase: true), Namespace = "", Role = "root", Subject = "root", Paths = ["*"], HasDefaultPolicy = true,
            Parent = null, IssuedAt = now, Ttl = TimeSpan.Zero, MaxTtl = () => TimeSpan.MaxValue, IsRoot = true, EndsAt = DateTimeOffset.MaxValue,
        };
        lock (_gate)
            _tokens.Add(text, token);
        return token;
    }

    public VaultLease AddLease(VaultToken token, VaultSecretRole role, string data, string requestId)
    {
        DateTimeOffset now = time.GetUtcNow();
        var lease = new VaultLease
        {
            Id = $"{role.Path}/{RandomNumberGenerator.GetHexString(24, lowercase: true)}", Fingerprint = Ledger.FingerprintOf(data), Token = token, Role = role, IssuedAt = now,
            EndsAt = now + (role.Ttl < role.MaxTtl ? role.Ttl : role.MaxTtl),
        };
        lock (_gate)
            _leases.Add(lease.Id, lease);
        ledger.Add(new LedgerIssue
        {
            Fingerprint = lease.Fingerprint, Issuer = issuer, ClientId = token.Role, Subject = token.Subject, Scope = role.Path, Audience = [], IssuedAt = now, EndsAt = lease.EndsAt, RequestId = requestId, Handle = lease.Id,
        });
        return lease;
    }

    /// <summary>The living token of that text, counted as used; null if there is none.</summary>
    public VaultToken? Use(string text)
    {
        lock (_gate)
        {
            Sweep();
            if (!_tokens.TryGetValue(text, out VaultToken? token) || token.IsGone)
                return null;
            if (token.UsesLeft > 0 && --token.UsesLeft == 0)
                End(token);
            return token;
        }
    }

    /// <summary>The living token of that text or accessor, not counted as used.</summary>
    public VaultToken? Find(string? text, string? accessor)
    {
        lock (_gate)
        {
            Sweep();
            return _tokens.Values.FirstOrDefault(token => !token.IsGone && (token.Text == text || (accessor is not null && token.Accessor == accessor)));
        }
    }

    public VaultLease? FindLease(string id)
    {
        lock (_gate)
        {
            Sweep();
            return _leases.TryGetValue(id, out VaultLease? lease) && !lease.IsGone ? lease : null;
        }
    }

    // increment counts from now; the end is never beyond the maximum that the role allows by then, counted from the issue.
    public DateTimeOffset Renew(VaultToken token, TimeSpan? increment)
    {
        lock (_gate)
        {
            token.EndsAt = Earlier(time.GetUtcNow() + (increment ?? token.Ttl), token.LastPossibleEnd);
            ledger.MarkRenewed(token.Fingerprint, token.EndsAt);
            return token.EndsAt;
        }
    }

    public DateTimeOffset Renew(VaultLease lease, TimeSpan? increment)
    {
        lock (_gate)
        {
            lease.RenewedAt = time.GetUtcNow();
            lease.EndsAt = Earlier(lease.RenewedAt.Value + (increment ?? lease.Role.Ttl), lease.LastPossibleEnd);
            ledger.MarkRenewed(lease.Fingerprint, lease.EndsAt);
            return lease.EndsAt;
        }
    }

    /// <summary>Somebody asks to end what has that handle, which may be gone.</summary>
    public void NoteRevocationAsked(string handle) => ledger.MarkRevocationAsked(null, handle);

    /// <summary>Ends a token and its child tokens at once; their leases are queued.</summary>
    public void Revoke(VaultToken token)
    {
        lock (_gate)
            End(token);
    }

    /// <summary>Ends a lease at once, whether or not it was queued or left alone.</summary>
    /// <returns>False: its secrets engine can't.</returns>
    public bool TryRevoke(VaultLease lease)
    {
        lock (_gate)
        {
            if (lease.Role.CannotEnd)
                return false;
            End(lease);
            return true;
        }
    }

    /// <summary>Has a lease ended after the answer.</summary>
    public void Queue(VaultLease lease)
    {
        lock (_gate)
            lease.IsQueued = true;
    }

    /// <summary>Tries once to end each lease that is queued.</summary>
    public void EndQueued()
    {
        lock (_gate)
            Sweep();
    }

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    private int Count(Func<int> count)
    {
        lock (_gate)
        {
            Sweep();
            return count();
        }
    }

    // What has reached its end takes along what hangs on it; what an earlier request queued is ended before anybody looks again.
    private void Sweep()
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach (VaultToken token in _tokens.Values.Where(token => token.EndsAt <= now).ToList())
            End(token);
        TryQueued();
        foreach (VaultLease lease in _leases.Values.Where(lease => lease.EndsAt <= now).ToList())
            Forget(lease);
    }

    private void TryQueued()
    {
        foreach (VaultLease lease in _leases.Values.Where(lease => lease is { IsQueued: true, Tries: < MostTries }).ToList())
        {
            lease.Tries++;
            if (!lease.Role.CannotEnd)
                End(lease);
        }
    }

    private void End(VaultToken token)
    {
        if (token.IsGone)
            return;
        token.IsGone = true;
        _tokens.Remove(token.Text);
        if (token.EndsAt > time.GetUtcNow())
            ledger.MarkRevoked(token.Fingerprint);
        foreach (VaultLease lease in _leases.Values.Where(lease => lease.Token == token))
            lease.IsQueued = true;
        foreach (VaultToken child in _tokens.Values.Where(child => child.Parent == token).ToList())
            End(child);
    }

    private void End(VaultLease lease)
    {
        if (lease.IsGone)
            return;
        Forget(lease);
        ledger.MarkRevoked(lease.Fingerprint);
    }

    // What is gone is as unknown as what never was, and costs nothing any more.
    private void Forget(VaultLease lease)
    {
        lease.IsGone = true;
        _leases.Remove(lease.Id);
    }
}
