using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>No reader takes a time that grows faster than its input: a small input would not show it, so each of the corpus is made a large one.</summary>
internal sealed class ReadingTimeTests
{
    private const int Large = 96 * 1024;

    [TestCaseSource(typeof(FuzzTarget), nameof(FuzzTarget.All))]
    public async Task A_large_input_is_read_in_a_time_that_its_length_bounds(FuzzTarget target)
    {
        foreach ((string name, byte[] input) in Corpus.Of(target))
        {
            foreach (byte[] large in new[] { Repeated(input, 0), Repeated(input, 3) })
                Assert.That(async () => await target.RunAsync(large), Throws.Nothing, name);
        }
    }

    // As long as an answer may be. Each text of a secret is looked for in what is told of it: in a name that stands over and over, or in one long text.
    [TestCase("\"a\":\"{0:00000000}\"", 65_000, 1)]
    [TestCase("\"a\":\"{0:00000000}\"", 32_000, 50_000)]
    public async Task Many_secrets_in_one_answer_are_taken_out_of_its_messages_in_a_time_that_its_length_bounds(string member, int count, int words)
    {
        string texts = string.Join(',', Enumerable.Range(0, count).Select(i => string.Format(CultureInfo.InvariantCulture, member, i)));
        string id = string.Concat(Enumerable.Repeat("a request ", words));
        string answer = $$$"""{"request_id":"{{{id}}}","lease_id":"l","lease_duration":3600,"data":{{{{texts}}}}}""";
        Assert.That(answer, Has.Length.LessThan(BoundedContent.MaxBytes));

        await FuzzTarget.All.Single(target => target.Name == "vault").RunAsync(Encoding.ASCII.GetBytes($"s\n200\nContent-Type: application/json\n\n{answer}"));
    }

    [Test]
    public void A_reader_that_begins_anew_for_each_byte_is_found()
    {
        var quadratic = new FuzzTarget("quadratic", input =>
        {
            int sum = 0;
            for (int end = 0; end < input.Rest.Length; end++)
                sum ^= string.GetHashCode(input.Rest.AsSpan(0, end), StringComparison.Ordinal);
            return Task.FromResult(sum.ToString(CultureInfo.InvariantCulture));
        });

        byte[] large = Encoding.ASCII.GetBytes("\n" + new string('a', Large));
        Assert.That(async () => await quadratic.RunAsync(large), Throws.InstanceOf<AssertionException>().With.Message.Contains("time of the processor"));
        Assert.That(async () => await quadratic.RunAsync(large[..1024]), Throws.Nothing);
    }

    // The whole after its first line again and again, or what is in its middle.
    private static byte[] Repeated(byte[] input, int share)
    {
        int first = Array.IndexOf(input, (byte)'\n') + 1;
        int rest = input.Length - first;
        int from = share == 0 ? first : first + (rest / share);
        int to = share == 0 ? input.Length : input.Length - (rest / share);
        var large = new List<byte>(input[..from]);
        while (to > from && large.Count < Large)
            large.AddRange(input[from..to]);
        large.AddRange(input[to..]);
        return [.. large];
    }
}
