using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Nhi.TokenExchange;

/// <summary>One access token that the emulated Google Cloud gave.</summary>
/// <param name="Subject">The workload's subject in its pool; null of a service account's.</param>
/// <param name="Principal">Whom it stands for, as IAM names it.</param>
/// <param name="Scope">What it was asked for.</param>
/// <param name="EndsAt">When it dies.</param>
/// <param name="Boundary">Its access boundary as JSON; null if there is none.</param>
internal sealed record GoogleToken(string? Subject, string Principal, string Scope, DateTimeOffset EndsAt, string? Boundary);

/// <summary>The tokens by what they are, and in the ledger.</summary>
internal sealed class GoogleTokens(string origin, string canary, Ledger ledger, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, GoogleToken> _tokens = new(StringComparer.Ordinal);

    public string Add(GoogleToken token, string requestId, string? clientId, IReadOnlyList<string> audience)
    {
        string text = $"ya29.d.{canary}{RandomNumberGenerator.GetHexString(120, lowercase: true)}";
        _tokens[text] = token;
        ledger.Add(new LedgerIssue
        {
            Fingerprint = Ledger.FingerprintOf(text), Issuer = origin, ClientId = clientId, Subject = token.Principal, Scope = token.Scope, Audience = audience, AccessBoundary = token.Boundary,
            IssuedAt = time.GetUtcNow(), EndsAt = token.EndsAt, RequestId = requestId,
        });
        return text;
    }

    /// <summary>A token that is alive; null if it is not, or none of ours.</summary>
    public GoogleToken? Find(string? text) => text is not null && _tokens.TryGetValue(text, out GoogleToken? token) && time.GetUtcNow() < token.EndsAt ? token : null;
}
