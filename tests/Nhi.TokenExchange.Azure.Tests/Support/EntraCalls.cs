using System.Text.Json;

namespace Nhi.TokenExchange.Tests;

/// <summary>Single exchanges at Entra over a wire in memory.</summary>
internal static class EntraCalls
{
    public const string Tenant = "6f1c1f3e-0000-4000-8000-00000000cafe";
    public const string Client = "6f1c1f3e-0000-4000-8000-00000000beef";
    public const string Scope = "https://storage.azure.com/.default";

    public static string Good(string more = "", string name = "one") =>
        $$"""{"token_type":"Bearer","expires_in":3599,"ext_expires_in":86399,"access_token":"{{Proofs.Token(name)}}"{{(more.Length == 0 ? "" : "," + more)}}}""";

    public static string Refusal(int code, string error = "invalid_client", string description = "No.", string more = "") =>
        $$"""{"error":"{{error}}","error_description":"AADSTS{{code}}: {{description}}","error_codes":[{{code}}],"timestamp":"2026-01-01 00:00:00Z","trace_id":"11111111-0000-4000-8000-000000000001","correlation_id":"22222222-0000-4000-8000-000000000002"{{(more.Length == 0 ? "" : "," + more)}}}""";

    public static ExchangeRequest Request(Wire wire, TimeProvider? time = null, string? proof = null, string? tenant = null, string? claims = null, string scope = Scope) => new()
    {
        Target = "lake", Subject = new SubjectToken(proof ?? Proofs.Of(), SubjectTokenType.Jwt), Scopes = ScopeSet.Of(scope), MaxLifetime = TimeSpan.FromHours(1), Job = JobContext.Unnamed,
        Tenant = tenant, Claims = claims, Backchannel = wire.Backchannel, Time = time ?? new ManualTimeProvider(),
    };

    public static Task<Issued<BearerToken>> ExchangeAsync(Wire wire, Action<EntraOptions>? configure = null, string? proof = null, TimeProvider? time = null) =>
        Targets.Entra(Tenant, Client, configure).ExchangeAsync(Request(wire, time, proof), default).AsTask();

    public static async Task<TokenExchangeException> RefusedAsync(Wire wire, Action<EntraOptions>? configure = null, string? proof = null, TimeProvider? time = null)
    {
        try
        {
            await ExchangeAsync(wire, configure, proof, time);
        }
        catch (TokenExchangeException refused)
        {
            Proofs.AssertNothingShown(refused);
            return refused;
        }
        throw new AssertionException("The exchange went through.");
    }

    public static string Quoted(string text) => JsonSerializer.Serialize(text);
}
