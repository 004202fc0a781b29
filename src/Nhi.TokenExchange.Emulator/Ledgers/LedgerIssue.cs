namespace Nhi.TokenExchange;

/// <summary>One token that a server of the emulator issued. Holds a fingerprint, never the token.</summary>
public sealed record LedgerIssue
{
    /// <summary>The first 16 hex digits of the SHA-256 of the token's UTF-8 text.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>The issuer identifier of the server that issued it.</summary>
    public required string Issuer { get; init; }

    /// <summary>The client that asked for it; null for a Databricks account-wide exchange.</summary>
    public string? ClientId { get; init; }

    /// <summary>Whom the token stands for.</summary>
    public required string Subject { get; init; }

    /// <summary>Who acts for the subject (RFC 8693 §4.1); null without delegation.</summary>
    public string? Actor { get; init; }

    /// <summary>The granted scopes, divided by spaces.</summary>
    public required string Scope { get; init; }

    /// <summary>Where the token may be used.</summary>
    public required IReadOnlyList<string> Audience { get; init; }

    /// <summary>When it was issued.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>When it dies by itself.</summary>
    public required DateTimeOffset EndsAt { get; init; }

    /// <summary>When it was revoked; null as long as it was not.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>
    /// When the answer that holds it had been written whole; null as long as it was not. It stays null where a planned fault cut the answer or the caller had hung up:
    /// the token exists, and nobody has it. Written is not yet received: a caller may hang up while the answer is on its way.
    /// </summary>
    public DateTimeOffset? DeliveredAt { get; init; }

    /// <summary>The correlation id that the answer carried.</summary>
    public required string RequestId { get; init; }

    /// <summary>The id that the client gave its request, by the header <c>client-request-id</c>, as Entra's sign-in log has it (<c>CorrelationId</c>); null when none was sent.</summary>
    public string? ClientRequestId { get; init; }

    /// <summary>The request's parameter <c>claims</c> (OIDC Core §5.5), as Entra takes it; null when none was sent.</summary>
    public string? Claims { get; init; }

    /// <summary>The granted <c>authorization_details</c> (RFC 9396) as JSON; null when there are none.</summary>
    public string? AuthorizationDetails { get; init; }

    /// <summary>The inline session policy that limits a session of an AWS role, as it was sent; null when there is none, and elsewhere.</summary>
    public string? SessionPolicy { get; init; }

    /// <summary>The credential access boundary that limits a token of Google Cloud, as it was sent; null when there is none, and elsewhere.</summary>
    public string? AccessBoundary { get; init; }

    /// <summary>What ends it without holding it: the accessor of a Vault token, the id of a lease; null elsewhere.</summary>
    public string? Handle { get; init; }

    /// <summary>How often its life was lengthened; <see cref="EndsAt"/> is the last end.</summary>
    public int Renewals { get; init; }

    /// <summary>How often somebody who may do so asked to end it, by itself or by its <see cref="Handle"/>, dead or alive. That it ended with what it hung on does not count.</summary>
    public int RevocationsAsked { get; init; }

    /// <summary>The <c>act</c> claim as JSON; null without delegation.</summary>
    internal string? ActJson { get; init; }

    internal IEnumerable<string> Scopes => Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
