using System.Buffers.Text;
using System.Text;
using Nhi.TokenExchange.Tests.Exchange;
using Nhi.TokenExchange.Tests.Faults;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>What a platform hands out for a proof. First line: <c>j</c> a JWT, <c>i</c> an ID token, <c>a</c> an access token, <c>f</c> an assertion of a federation, <c>g</c> the answer of GitHub's endpoint; then <c>p</c> for parts: a header, a line, claims, a line, what follows the signature.</summary>
internal static class ProofFuzzing
{
    public static async Task<string> RunAsync(FuzzInput input)
    {
        string proof = input.ChoiceAt(1) == 'p' ? OfParts(input.Rest) : FuzzInput.Filled(input.Rest);
        var wire = new AnsweringWire(_ => AnsweringWire.Json(AnsweredJob.Answer($"at-{FuzzInput.Canary}"))) { Document = () => FuzzedAnswer.Of(input.Rest, OfParts("{}\n{}")) };
        TokenExchanger<BearerToken> exchanger = Targets.Rfc8693(new Uri(AnsweringWire.Issuer), o =>
        {
            (o.TokenEndpoint, o.RevocationEndpoint) = (AnsweringWire.TokenEndpoint, AnsweringWire.RevocationEndpoint);
            o.SubjectAudience = AnsweringWire.Issuer;
        });
        await using MutationJob job = await MutationJob.StartAsync(wire, exchanger, Source(input.ChoiceAt(0), proof));

        BearerToken? token = await job.GetAsync();
        string said = await job.CompleteAsync(FuzzInput.Canary);

        Assert.That(wire.Asked.Count, Is.EqualTo(token is null ? 0 : 1), "what was sent was taken");
        return said;
    }

    // The claims may be shown, the signature never: the canary stands there alone.
    private static string OfParts(string text)
    {
        string[] lines = text.Split('\n', 3);
        byte[] signature = new byte[256];
        Encoding.UTF8.GetBytes(FuzzInput.Canary).CopyTo(signature, 0);
        return $"{Part(lines[0])}.{Part(lines.Length > 1 ? lines[1] : "")}.{Base64Url.EncodeToString(signature)}{(lines.Length > 2 ? lines[2] : "")}";
    }

    private static string Part(string latin) => Base64Url.EncodeToString(Encoding.Latin1.GetBytes(latin));

    private static IWorkloadIdentitySource Source(char kind, string proof) => kind switch
    {
        'f' => IdentitySources.FederatedAssertion((_, _) => new(proof.Length == 0 ? "." : proof)),   // no answer at all is the function's failure, with a code of its own
        'g' => new GitHubActionsSource(name => name switch
        {
            "GITHUB_ACTIONS" => "true", "ACTIONS_ID_TOKEN_REQUEST_URL" => "https://runner.example/idtoken", "ACTIONS_ID_TOKEN_REQUEST_TOKEN" => "request", _ => null,
        }),
        _ => IdentitySources.From((_, _) => new(Taken(proof, kind switch { 'i' => SubjectTokenType.IdToken, 'a' => SubjectTokenType.AccessToken, _ => SubjectTokenType.Jwt }))),
    };

    // What is no proof at all, its constructor refuses: a source of one's own has to say so.
    private static SubjectToken Taken(string proof, SubjectTokenType type)
    {
        try
        {
            return new SubjectToken(proof, type);
        }
        catch (ArgumentException refused)
        {
            throw new IdentityUnavailableException(ErrorCodes.ProofMalformed, refused.Message);
        }
    }
}
