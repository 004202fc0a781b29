using System.Net.Http.Headers;
using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Whatever an issuer answers: one of our exceptions or a credential that can be used and is ended; nothing of a token is said; what is asked is bounded.</summary>
internal sealed class AnswerMutationTests
{
    // Twice five tries of a call, for each of two proofs.
    private const int MostRequests = 20;

    private static readonly string ServicePrincipal = new Guid(1, 2, 3, [4, 5, 6, 7, 8, 9, 10, 11]).ToString();

    [Test]
    public Task Damaged_answers_of_issuers_come_to_an_error_of_ours_or_a_credential() => MutationRun.RunAsync("answers", 2_500, RunAsync);

    private static async Task RunAsync(Mutator chance)
    {
        var corpus = new MutationCorpus(chance);
        string proof = "";
        var wire = new AnsweringWire(_ => corpus.Answer(proof)) { Document = corpus.Document };
        (TokenExchanger<BearerToken> exchanger, bool mustRevoke) = Exchanger(chance);
        await using MutationJob job = await MutationJob.StartAsync(wire, exchanger, IdentitySources.From((request, _) => new(new SubjectToken(proof = corpus.Proof(request.Audience), SubjectTokenType.Jwt))), chance.OneOf<string[]>([], ["read", "write"]));

        BearerToken? token = await job.GetAsync();
        await job.CompleteAsync(corpus.Canary);

        Assert.That(wire.Asked, Has.Count.LessThanOrEqualTo(MostRequests));
        if (token is null)
            return;
        using var request = new HttpRequestMessage();
        token.ApplyTo(request.Headers);
        Assert.That(AuthenticationHeaderValue.Parse(request.Headers.Authorization!.ToString()).Parameter, Is.EqualTo(token.Reveal()));
        Assert.That(token.ExpiresAt, Is.GreaterThan(Proofs.Now));
        if (mustRevoke)
            Assert.That(wire.Revoked, Does.Contain(token.Reveal()));
    }

    private static (TokenExchanger<BearerToken> Exchanger, bool MustRevoke) Exchanger(Mutator chance)
    {
        var issuer = new Uri(AnsweringWire.Issuer);
        bool hasAudience = chance.OnceIn(3);
        bool hasDetails = chance.OnceIn(4);
        return chance.Below(5) switch
        {
            0 => (Targets.Databricks(issuer, chance.OnceIn(2) ? ServicePrincipal : null), false),
            1 => (Targets.Rfc8693(issuer), false),
            2 => (Targets.JwtBearer(issuer, o => (o.TokenEndpoint, o.RevocationEndpoint) = (AnsweringWire.TokenEndpoint, AnsweringWire.RevocationEndpoint)), true),
            _ => (Targets.Rfc8693(issuer, o =>
            {
                (o.TokenEndpoint, o.RevocationEndpoint) = (AnsweringWire.TokenEndpoint, AnsweringWire.RevocationEndpoint);
                if (hasAudience)
                    o.Audiences.Add(AnsweringWire.Issuer);
                if (hasDetails)
                    o.AuthorizationDetails = """[{"type":"rows","actions":["read"]}]""";
            }), true),
        };
    }
}
