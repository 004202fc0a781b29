using System.Text;
using System.Xml.Linq;
using Nhi.TokenExchange.Tests.Faults;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>Answers of AWS STS, which are XML. First line: <c>s</c> if scopes are asked for. After it the answers.</summary>
internal static class AwsFuzzing
{
    private static readonly XNamespace Sts = "https://sts.amazonaws.com/doc/2011-06-15/";

    public static async Task<string> RunAsync(FuzzInput input)
    {
        TokenExchanger<AwsSessionCredentials> exchanger = Targets.AwsSts("arn:aws:iam::123456789012:role/orders-loader", "eu-central-1", o => o.SessionName = "orders-nightly-17");
        string proof = FuzzInput.Proof(exchanger.SubjectAudience);
        var wire = new FuzzedWire(input.Rest, proof);
        await using MutationJob job = await MutationJob.StartAsync(
            wire, b => b.Identity("job", MutationJob.Source(proof), ActsFor.Workload).Target("archive", exchanger, "job", input.ChoiceAt(0) == 's' ? ["s3:GetObject", "s3:PutObject"] : []));

        AwsSessionCredentials? session = await job.GetAsync<AwsSessionCredentials>("archive");
        string said = await job.CompleteAsync(FuzzInput.Canary);

        wire.AssertBounded(1, "sts.eu-central-1.amazonaws.com");
        if (session is null)
            return said;
        job.AssertLives(session);
        // No session lives longer than was asked for.
        Assert.That(session.ExpiresAt, Is.LessThanOrEqualTo(job.HandedOutAt + MutationJob.LongestHandOut));
        // What is handed out is what another reader of XML reads, too.
        XElement credentials = XDocument.Parse(Encoding.UTF8.GetString(wire.LastBody).TrimStart('\ufeff')).Descendants(Sts + "Credentials").First();
        Assert.That(
            new[] { session.AccessKeyId, session.RevealSecretAccessKey(), session.RevealSessionToken() },
            Is.EqualTo(new[] { "AccessKeyId", "SecretAccessKey", "SessionToken" }.Select(name => credentials.Elements().Single(part => part.Name.LocalName == name).Value)));
        return said;
    }
}
