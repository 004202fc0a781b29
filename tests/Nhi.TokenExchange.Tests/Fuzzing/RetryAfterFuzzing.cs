using Nhi.TokenExchange.Tests.Faults;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>The header <c>Retry-After</c>. First line: how often the issuer refuses before it grants. After it the refusals.</summary>
internal static class RetryAfterFuzzing
{
    // What an issuer may ask for at most, and the tenth over which jobs spread.
    private static readonly TimeSpan MostAskedFor = TimeSpan.FromMinutes(5) * 1.1;

    public static async Task<string> RunAsync(FuzzInput input)
    {
        string[] refusals = FuzzedAnswer.Split(input.Rest);
        int times = input.ChoiceAt(0) is >= '0' and <= '9' and char digit ? digit - '0' : 9;
        var wire = new AnsweringWire(number => number <= times ? FuzzedAnswer.Of(refusals[Math.Min(number, refusals.Length) - 1]) : AnsweringWire.Json(AnsweredJob.Answer($"at-{FuzzInput.Canary}")));
        TokenExchanger<BearerToken> exchanger = Targets.Rfc8693(new Uri(AnsweringWire.Issuer), o =>
        {
            (o.TokenEndpoint, o.RevocationEndpoint) = (AnsweringWire.TokenEndpoint, AnsweringWire.RevocationEndpoint);
            o.SubjectAudience = AnsweringWire.Issuer;
        });
        string proof = FuzzInput.Proof(exchanger.SubjectAudience);
        await using MutationJob job = await MutationJob.StartAsync(wire, exchanger, MutationJob.Source(proof));

        BearerToken? token = await job.GetAsync();
        (TimeSpan waited, int exchanges) = (job.Waited, job.Exchanges);
        string said = await job.CompleteAsync(FuzzInput.Canary);

        // No header holds a call beyond its deadline, or makes us ask without end. A caller waits for one call, or for two if the first brought a dead credential.
        Assert.That(exchanges, Is.InRange(1, 2));
        Assert.That(waited, Is.InRange(TimeSpan.Zero, exchanges * IssuerBackchannel.CallDeadline));
        Assert.That(wire.Asked, Has.Count.LessThanOrEqualTo(20));
        Assert.That(job.Failures.Select(failure => failure.RetryAfter).OfType<TimeSpan>(), Has.All.GreaterThan(TimeSpan.Zero).And.All.LessThanOrEqualTo(MostAskedFor));
        if (times == 0)
            Assert.That(token, Is.Not.Null);
        return said;
    }
}
