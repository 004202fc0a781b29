namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>The corpus holds in each test run.</summary>
internal sealed class CorpusTests
{
    [TestCaseSource(typeof(FuzzTarget), nameof(FuzzTarget.All))]
    public async Task The_corpus_comes_to_an_error_of_ours_or_to_what_is_promised(FuzzTarget target)
    {
        int inputs = 0;
        var failures = new List<string>();
        foreach ((string name, byte[] input) in Corpus.Of(target))
        {
            inputs++;
            try
            {
                await target.RunAsync(input);
            }
            catch (Exception exception)   // whatever it is, it was not to come out
            {
                failures.Add($"{name}: {exception}");
            }
        }
        await TestContext.Out.WriteLineAsync($"{target.Name}: {inputs} inputs");
        Assert.That(inputs, Is.GreaterThan(4));
        Assert.That(failures, Is.Empty, string.Join('\n', failures));
    }

    [Test]
    public void The_corpus_is_small_and_each_folder_is_a_target()
    {
        Assert.That(Directory.GetDirectories(Corpus.Folder).Select(Path.GetFileName), Is.EquivalentTo(FuzzTarget.All.Select(target => target.Name)));
        FileInfo[] files = [.. new DirectoryInfo(Corpus.Folder).EnumerateFiles("*", SearchOption.AllDirectories)];
        Assert.That(files.GroupBy(file => file.DirectoryName).Select(folder => folder.Count()), Has.All.LessThanOrEqualTo(60));
        Assert.That(files.Sum(file => file.Length), Is.LessThan(200 * 1024));
        Assert.That(files.Where(file => File.ReadAllBytes(file.FullName).Any(b => b is < 9 or (> 13 and < 32) or 127)).Select(file => file.Name), Is.Empty, "people read it, too: no control characters");
    }
}
