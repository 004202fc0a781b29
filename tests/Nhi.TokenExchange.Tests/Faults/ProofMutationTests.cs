using System.Text;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Whatever a platform hands out for a proof: one of our exceptions before the issuer is asked, or a proof that can be read in one way; nothing of it is said.</summary>
internal sealed class ProofMutationTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("nhi-mutation-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public Task Damaged_proofs_come_to_an_error_of_ours_or_are_sent_as_they_are() => MutationRun.RunAsync("proofs", 2_500, RunAsync);

    private async Task RunAsync(Mutator chance)
    {
        var corpus = new MutationCorpus(chance);
        var audience = new Audience(AnsweringWire.Issuer);
        string proof = corpus.Proof(audience);
        string damaged = chance.OnceIn(20) ? proof : chance.Jwt(proof);
        var wire = new AnsweringWire(_ => AnsweringWire.Json(AnsweredJob.Answer())) { Document = () => Endpoint(chance, damaged) };
        TokenExchanger<BearerToken> exchanger = Targets.Rfc8693(new Uri(AnsweringWire.Issuer), o =>
        {
            (o.TokenEndpoint, o.RevocationEndpoint) = (AnsweringWire.TokenEndpoint, AnsweringWire.RevocationEndpoint);
            o.SubjectAudience = AnsweringWire.Issuer;
        });
        await using MutationJob job = await MutationJob.StartAsync(wire, exchanger, Source(chance, damaged));

        BearerToken? token = await job.GetAsync();
        await job.CompleteAsync(corpus.Canary);

        Assert.That(wire.Asked.Count, Is.EqualTo(token is null ? 0 : 1), "what was sent was taken");
    }

    private IWorkloadIdentitySource Source(Mutator chance, string damaged)
    {
        string path = Path.Join(_folder, "token");
        switch (chance.Below(5))
        {
            case 0:
                return IdentitySources.From((_, _) => new(Taken(damaged, SubjectTokenType.Jwt)));
            case 1:
                return IdentitySources.From((_, _) => new(Taken(damaged, SubjectTokenType.AccessToken)));
            case 2:
                return IdentitySources.FederatedAssertion((_, _) => new(damaged.Length == 0 ? "." : damaged));   // no answer at all is the function's failure, with a code of its own
            case 3:
                byte[] bytes = Encoding.UTF8.GetBytes(damaged);
                File.WriteAllBytes(path, chance.OnceIn(4) ? chance.Bytes(bytes) : bytes);
                return IdentitySources.OidcFile(path);
            default:
                return new GitHubActionsSource(name => name switch
                {
                    "GITHUB_ACTIONS" => "true", "ACTIONS_ID_TOKEN_REQUEST_URL" => "https://runner.example/idtoken", "ACTIONS_ID_TOKEN_REQUEST_TOKEN" => "request", _ => null,
                });
        }
    }

    // What is no proof at all, its constructor refuses: a source of one's own has to say so.
    private static SubjectToken Taken(string damaged, SubjectTokenType type)
    {
        try
        {
            return new SubjectToken(damaged, type);
        }
        catch (ArgumentException refused)
        {
            throw new IdentityUnavailableException(ErrorCodes.ProofMalformed, refused.Message);
        }
    }

    private static HttpResponseMessage Endpoint(Mutator chance, string damaged)
    {
        string answer = $$"""{"count":1,"value":{{System.Text.Json.Nodes.JsonValue.Create(damaged).ToJsonString()}}}""";
        return AnsweringWire.Of(Encoding.UTF8.GetBytes(chance.OnceIn(2) ? chance.Json(answer, "value", "error", "message") : answer), "application/json", chance.OnceIn(10) ? System.Net.HttpStatusCode.Forbidden : System.Net.HttpStatusCode.OK);
    }
}
