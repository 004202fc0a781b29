using System.Text;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>No bytes come to anything but a document, or an error that names its place.</summary>
public class PolicyMutationTests
{
    private const int Mutations = 20_000;

    [Test]
    public void Bytes_that_are_changed_by_chance_compile_or_are_refused_with_their_place()
    {
        var random = new Random(20260304);
        string[] texts = [.. Enumerable.Range(0, 20).Select(seed => Policies.Text(1, [.. new RandomPolicies(seed).Rules(3)]))];
        int compiled = 0;
        for (int i = 0; i < Mutations; i++)
        {
            List<byte> bytes = [.. Encoding.UTF8.GetBytes(texts[i % texts.Length])];
            for (int changes = random.Next(1, 4); changes > 0; changes--)
                Change(bytes, random);
            var errors = new PolicyErrors("mutated");
            PolicyDocument? policy = PolicyDocument.TryParse(bytes.ToArray(), errors);
            if (policy is null)
                Assert.That(errors.ToString(), Does.Match("mutated\\(\\d+,\\d+\\)"), Convert.ToBase64String([.. bytes]));
            else
            {
                compiled++;
                Assert.That(policy.Decide(Policies.Request(target: "nowhere", subject: "nobody", scopes: null, job: new JobContext())).Reason, Is.Not.Null);
            }
        }
        Assert.That(compiled, Is.InRange(Mutations / 100, Mutations), "few would prove little");
    }

    private static void Change(List<byte> bytes, Random random)
    {
        int at = random.Next(bytes.Count);
        switch (random.Next(5))
        {
            case 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 1:
                bytes.RemoveAt(at);
                break;
            case 2:
                bytes.Insert(at, (byte)"{}[]\",:*\\ 01az"[random.Next(14)]);
                break;
            case 3:
                bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at));
                break;
            default:
                bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 20), bytes.Count - at)));
                break;
        }
        if (bytes.Count == 0)
            bytes.Add((byte)'{');
    }
}
