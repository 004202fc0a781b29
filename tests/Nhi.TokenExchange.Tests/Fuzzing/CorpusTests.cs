namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>What fuzzing left in tests/long/Nhi.TokenExchange.Fuzz/corpus holds in each test run: all that reached another piece of the code, and all that was once wrong.</summary>
internal sealed class CorpusTests
{
    private static readonly string Corpus = Path.Combine(Repository.Root, "tests", "long", "Nhi.TokenExchange.Fuzz", "corpus");

    [TestCaseSource(typeof(FuzzTarget), nameof(FuzzTarget.All))]
    public async Task The_corpus_comes_to_an_error_of_ours_or_to_what_is_promised(FuzzTarget target)
    {
        string[] files = Directory.GetFiles(Path.Combine(Corpus, target.Name));
        Assert.That(files, Is.Not.Empty);
        var failures = new List<string>();
        foreach (string file in files.Order(StringComparer.Ordinal))
        {
            try
            {
                await target.RunAsync(await File.ReadAllBytesAsync(file));
            }
            catch (Exception exception)   // whatever it is, it was not to come out
            {
                failures.Add($"{Path.GetFileName(file)}: {exception}");
            }
        }
        await TestContext.Out.WriteLineAsync($"{target.Name}: {files.Length} inputs");
        Assert.That(failures, Is.Empty, string.Join('\n', failures));
    }

    [Test]
    public void The_corpus_is_small_and_of_no_other_target()
    {
        Assert.That(Directory.GetDirectories(Corpus).Select(Path.GetFileName), Is.EquivalentTo(FuzzTarget.All.Select(target => target.Name)));
        FileInfo[] files = [.. new DirectoryInfo(Corpus).EnumerateFiles("*", SearchOption.AllDirectories)];
        Assert.That(files.GroupBy(file => file.DirectoryName).Select(folder => folder.Count()), Has.All.LessThanOrEqualTo(60));
        Assert.That(files.Sum(file => file.Length), Is.LessThan(200 * 1024));
    }
}
