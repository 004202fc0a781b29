using System.Text;
using Nhi.TokenExchange.Tests.Fuzzing;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Whatever AWS, Google, Vault or Key Vault answers: what is in the corpus of their fuzzing, damaged by chance, keeps the same promises.</summary>
internal sealed class VendorAnswerMutationTests
{
    private static readonly string[] Vendors = ["aws", "google", "vault", "static-key"];

    private static readonly (FuzzTarget Target, byte[] Input)[] Inputs =
        [.. FuzzTarget.All.Where(target => Vendors.Contains(target.Name)).SelectMany(target => Corpus.Of(target).Select(one => (target, one.Input)))];

    [Test]
    public Task Damaged_answers_of_vendors_come_to_an_error_of_ours_or_to_what_is_promised() => MutationRun.RunAsync("vendors", 2_000, async chance =>
    {
        (FuzzTarget target, byte[] input) = Inputs[chance.Below(Inputs.Length)];
        int first = Array.IndexOf(input, (byte)'\n') + 1;   // which answers they are stays
        byte[] damaged = chance.OnceIn(2) ? chance.Bytes(input[first..]) : Encoding.UTF8.GetBytes(chance.Text(Encoding.UTF8.GetString(input.AsSpan(first))));
        await target.RunAsync([.. input[..first], .. damaged]);
    });
}
