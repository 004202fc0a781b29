using System.Net.Http.Headers;
using Nhi.TokenExchange.Tests.Faults;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>Answers of a token endpoint. First line: <c>r</c> RFC 8693, <c>a</c> with an audience, <c>t</c> with authorization details, <c>j</c> RFC 7523, <c>d</c> Databricks; then <c>s</c> if scopes are asked for. After it the answers.</summary>
internal static class AnswerFuzzing
{
    // Twice five tries of a call, for each of two proofs.
    private const int MostRequests = 20;

    public static async Task<string> RunAsync(FuzzInput input)
    {
        string[] answers = FuzzedAnswer.Split(input.Rest);
        TokenExchanger<BearerToken> exchanger = Exchanger(input);
        string proof = FuzzInput.Proof(exchanger.SubjectAudience);
        var wire = new AnsweringWire(number => FuzzedAnswer.Of(answers[Math.Min(number, answers.Length) - 1], proof));
        await using MutationJob job = await MutationJob.StartAsync(
            wire, exchanger, MutationJob.Source(proof), input.ChoiceAt(1) == 's' ? ["read", "write"] : []);

        BearerToken? token = await job.GetAsync();
        string said = await job.CompleteAsync(FuzzInput.Canary);

        Assert.That(wire.Asked, Has.Count.LessThanOrEqualTo(MostRequests));
        if (token is null)
            return said;
        using var request = new HttpRequestMessage();
        token.ApplyTo(request.Headers);
        Assert.That(AuthenticationHeaderValue.Parse(request.Headers.Authorization!.ToString()).Parameter, Is.EqualTo(token.Reveal()));
        Assert.That(token.UnusableFrom, Is.GreaterThan(job.HandedOutAt).And.LessThanOrEqualTo(token.ExpiresAt));
        if (input.ChoiceAt(0) != 'd')
            Assert.That(wire.Revoked, Does.Contain(token.Reveal()));
        return said;
    }

    private static TokenExchanger<BearerToken> Exchanger(FuzzInput input)
    {
        var issuer = new Uri(AnsweringWire.Issuer);
        return input.ChoiceAt(0) switch
        {
            'd' => Targets.Databricks(issuer, input.ChoiceAt(1) == 's' ? new Guid(1, 2, 3, [4, 5, 6, 7, 8, 9, 10, 11]).ToString() : null),
            'j' => Targets.JwtBearer(issuer, o => (o.TokenEndpoint, o.RevocationEndpoint) = (AnsweringWire.TokenEndpoint, AnsweringWire.RevocationEndpoint)),
            char kind => Targets.Rfc8693(issuer, o =>
            {
                (o.TokenEndpoint, o.RevocationEndpoint) = (AnsweringWire.TokenEndpoint, AnsweringWire.RevocationEndpoint);
                o.SubjectAudience = AnsweringWire.Issuer;
                if (kind == 'a')
                    o.Audiences.Add(AnsweringWire.Issuer);
                if (kind == 't')
                    o.AuthorizationDetails = """[{"type":"rows","actions":["read"]}]""";
            }),
        };
    }
}
