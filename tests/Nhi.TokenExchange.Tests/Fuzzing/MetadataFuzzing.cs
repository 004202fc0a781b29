using System.Text.Json;
using Nhi.TokenExchange.Tests.Faults;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>An issuer's metadata (RFC 8414, OpenID Connect Discovery). First line: <c>j</c> for RFC 7523, else RFC 8693. After it the answers to the two places that are asked.</summary>
internal static class MetadataFuzzing
{
    public static async Task<string> RunAsync(FuzzInput input)
    {
        string[] documents = FuzzedAnswer.Split(input.Rest);
        int asked = 0;
        var wire = new AnsweringWire(_ => AnsweringWire.Json(AnsweredJob.Answer($"at-{FuzzInput.Canary}"))) { Document = () => FuzzedAnswer.Of(documents[Math.Min(asked++, documents.Length - 1)]) };
        var issuer = new Uri(AnsweringWire.Issuer);
        TokenExchanger<BearerToken> exchanger = input.ChoiceAt(0) == 'j' ? Targets.JwtBearer(issuer) : Targets.Rfc8693(issuer, o => o.SubjectAudience = AnsweringWire.Issuer);
        string proof = FuzzInput.Proof(exchanger.SubjectAudience);
        await using MutationJob job = await MutationJob.StartAsync(wire, exchanger, MutationJob.Source(proof));

        BearerToken? token = await job.GetAsync();
        string said = await job.CompleteAsync(FuzzInput.Canary);

        // A document sends proofs and tokens nowhere but to the issuer's own host, and over TLS.
        Assert.That(wire.Places, Has.All.Matches<Uri>(place => place is { Scheme: "https", IdnHost: "issuer.example" }));
        Assert.That(asked, Is.LessThanOrEqualTo(40));   // at two places, each five times, for two proofs, and once more for the revocation
        if (wire.Endpoints.Count > 0)
            AssertNamed(wire, token, FuzzedAnswer.BodyOf(documents[Math.Min(asked, documents.Length) - 1]));
        return said;
    }

    // Forms go only where the document says that was read last, and only if it is this issuer's (RFC 8414 §3.3); what came is given back where it says so.
    private static void AssertNamed(AnsweringWire wire, BearerToken? token, byte[] document)
    {
        using JsonDocument json = JsonDocument.Parse(document);
        Assert.That(json.RootElement.GetProperty("issuer").GetString(), Is.EqualTo(AnsweringWire.Issuer));
        Uri?[] named = [Named(json, "token_endpoint"), Named(json, "revocation_endpoint")];
        Assert.That(wire.Endpoints, Is.SubsetOf(named));
        Assert.That(wire.Endpoints.First(), Is.EqualTo(named[0]));
        if (token is not null && named[1] is not null)
            Assert.That(wire.Endpoints, Does.Contain(named[1]));
    }

    private static Uri? Named(JsonDocument json, string member) =>
        json.RootElement.TryGetProperty(member, out JsonElement endpoint) && endpoint.ValueKind == JsonValueKind.String && endpoint.GetString() is { Length: > 0 } text ? new Uri(text) : null;
}
