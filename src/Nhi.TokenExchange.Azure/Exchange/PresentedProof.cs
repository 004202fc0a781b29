using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>What a proof says, for messages about a trust that does not fit it. Never the proof.</summary>
internal sealed class PresentedProof
{
    private const int LongestShown = 300;

    private readonly Jwt? _jwt;
    private readonly string? _keyId;
    private readonly Audience? _askedFor;

    private PresentedProof(Jwt? jwt, string? keyId, Audience? askedFor)
    {
        _jwt = jwt;
        _keyId = keyId;
        _askedFor = askedFor;
    }

    /// <summary>Whether it is a JWT that can be looked into.</summary>
    public bool IsReadable => _jwt is not null;

    public string? Issuer => _jwt?.Issuer;

    public string? Subject => _jwt?.Subject;

    /// <summary><c>tid</c>: the tenant, where Entra ID made it.</summary>
    public string? TenantId => _jwt?["tid"];

    /// <summary>Whether Entra ID made it: a managed identity's token, or an application's.</summary>
    public bool IsEntras => TenantId is { Length: > 0 } tenant && Issuer is { } issuer && issuer.Contains(tenant, StringComparison.Ordinal);

    /// <summary>The other form in which its platform says the same subject, in a sentence; null if there is none.</summary>
    public string? OtherForm => _jwt is null ? null : SubjectForms.OtherFormOf(_jwt);

    /// <summary>What was presented as its audience; empty if nothing was.</summary>
    public string Audience => _askedFor?.ToString() ?? (_jwt is { Audiences: [var first, ..] } ? first : "");

    public static PresentedProof Of(SubjectToken proof)
    {
        try
        {
            string token = proof.Reveal();
            Jwt jwt = JwtReader.Read(token);
            using JsonDocument header = JsonDocument.Parse(Base64Url.DecodeFromChars(token.AsSpan(0, token.IndexOf('.', StringComparison.Ordinal))));
            return new PresentedProof(jwt, header.RootElement.TryGetProperty("kid", out JsonElement kid) ? kid.GetString() : null, proof.AskedFor);
        }
        catch (FormatException)
        {
            return new PresentedProof(null, null, null);
        }
    }

    /// <summary>The part of the proof that a mismatch is about, as it was presented.</summary>
    public string Shown(TrustField field) => _jwt is null ? "nothing that can be read: the proof is no JWT" : field switch
    {
        TrustField.Issuer => Quoted(_jwt.Issuer),
        TrustField.Subject => Quoted(_jwt.Subject),
        // What Entra writes into a token is an application's id; what is registered is what was asked for.
        TrustField.Audience when _askedFor is { } asked => $"{Quoted(asked.ToString())} (in the token: {string.Join(", ", _jwt.Audiences.Select(Quoted))})",
        TrustField.Audience => _jwt.Audiences.Count == 0 ? "none" : string.Join(", ", _jwt.Audiences.Select(Quoted)),
        TrustField.Whole => $"issuer {Quoted(_jwt.Issuer)}, subject {Quoted(_jwt.Subject)}, audience {Shown(TrustField.Audience)}",
        TrustField.Key => $"key {(_keyId is null ? "(no kid)" : Quoted(_keyId))} of issuer {Quoted(_jwt.Issuer)}, {_jwt.Algorithm}",
        TrustField.Times => string.Create(CultureInfo.InvariantCulture, $"good from {_jwt.NotBefore ?? _jwt.IssuedAt:O} to {_jwt.ExpiresAt:O}"),
        TrustField.AppOnly => $"idtyp {(_jwt["idtyp"] is { } type ? Quoted(type) : "absent")}, scp {(_jwt.Has("scp") ? "there" : "absent")}, subject {Quoted(_jwt.Subject)}",
        _ => Quoted(_jwt.Subject),
    };

    private static string Quoted(string text) => $"'{ExceptionText.Clean(text, LongestShown)}'";
}
