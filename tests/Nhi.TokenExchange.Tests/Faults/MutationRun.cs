using System.Globalization;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Runs numbered cases of mutation, each with chance of its own, bounded in memory.</summary>
/// <remarks>
/// The short form, a number of cases, is part of every run. Variables of the environment make other forms: <c>NHI_MUTATION_CASES</c> that many cases;
/// <c>NHI_MUTATION_SECONDS</c> as many as there is time for; <c>NHI_MUTATION_SEED</c> other damage than the usual; <c>NHI_MUTATION_CASE</c> one case alone, as a failure names it.
/// </remarks>
internal static class MutationRun
{
    private const int UsualSeed = 20260101;

    // So many are shown at once.
    private const int MostFailures = 5;

    // The longest input has 1.5 MiB and may be sent five times.
    private const long MostBytesOfACase = 64L * 1024 * 1024;
    private const long MostBytesThatStay = 16L * 1024 * 1024;

    // No measure of speed: what takes so long has no end.
    private static readonly TimeSpan NoEnd = TimeSpan.FromMinutes(3);

    public static async Task RunAsync(string subject, int cases, Func<Mutator, Task> runCase)
    {
        int seed = Variable("NHI_MUTATION_SEED") ?? UsualSeed;
        int? alone = Variable("NHI_MUTATION_CASE");
        TimeSpan? span = Variable("NHI_MUTATION_SECONDS") is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
        int last = alone ?? (span is null ? Variable("NHI_MUTATION_CASES") ?? cases : int.MaxValue);
        long began = TimeProvider.System.GetTimestamp();
        long heap = 0;
        long most = 0;
        var failures = new List<string>();
        int number = alone ?? 1;
        for (; number <= last && !(TimeProvider.System.GetElapsedTime(began) > span); number++)
        {
            long allocated = GC.GetTotalAllocatedBytes();
            try
            {
                await Task.Run(() => runCase(new Mutator(ChanceOf(subject, seed, number)))).WaitAsync(NoEnd, TimeProvider.System);
            }
            catch (Exception exception)   // whatever it is, it was not to come out
            {
                failures.Add($"NHI_MUTATION_SEED={seed} NHI_MUTATION_CASE={number} repeats this alone: {exception}");
                if (failures.Count == MostFailures)
                    break;
            }
            long used = GC.GetTotalAllocatedBytes() - allocated;
            most = Math.Max(most, used);
            Assert.That(used, Is.LessThan(MostBytesOfACase), $"{subject}: bytes of NHI_MUTATION_SEED={seed} NHI_MUTATION_CASE={number}");
            if (number == Math.Min(last, (alone ?? 1) + 100))
                heap = GC.GetTotalMemory(forceFullCollection: true);   // after the first hundred all that is made once is made
        }
        await TestContext.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{subject}: {number - (alone ?? 1)} cases of seed {seed}, at most {most / 1024} KiB allocated in one."));
        Assert.That(failures, Is.Empty, $"{subject}: {string.Join('\n', failures)}");
        if (heap > 0)
            Assert.That(GC.GetTotalMemory(forceFullCollection: true) - heap, Is.LessThan(MostBytesThatStay), $"{subject}: bytes that stay");
    }

    private static Random ChanceOf(string subject, int seed, int number) => new(unchecked((((seed * 397) ^ number) * 397) ^ subject.Sum(c => c)));

    private static int? Variable(string name) => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;
}
