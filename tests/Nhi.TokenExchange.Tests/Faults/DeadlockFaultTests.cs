using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Waits that never end: re-entry, synchronous callers, locks.</summary>
internal sealed partial class DeadlockFaultTests
{
    // One waits synchronously for others, by name; one keeps signatures of a single key one by one, around a call that awaits nothing; one bounds
    // how many end or record at once, and each of those has a deadline of its own and asks for no second turn.
    private static readonly string[] Known = ["Blocking.cs", "AssertionSigner.cs", "Turns.cs"];

    [Test]
    public async Task P23_A_source_that_asks_for_the_credential_that_it_proves_gets_an_error_with_the_targets_name()
    {
        CredentialProvider<BearerToken>? warehouse = null;
        var time = new ManualTimeProvider();
        IWorkloadIdentitySource source = IdentitySources.From(async (request, cancellationToken) =>
        {
            await warehouse!.GetAsync(cancellationToken);
            return new SubjectToken(TestProofs.Jwt(time, request.Audience.ToString()), SubjectTokenType.Jwt);
        });
        await using TestJob job = await TestJob.StartAsync(source: source);
        warehouse = job.Warehouse;

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await warehouse.GetAsync())!;

        Assert.That((refused.Code, refused.Target), Is.EqualTo(("NHI4010", "warehouse")));
        Assert.That(job.Issuer.Requests, Is.Empty);
    }

    [Test]
    public async Task P25_A_hundred_synchronous_callers_and_a_single_threaded_context_get_through_a_pool_of_two_threads()
    {
        (string said, int exitCode) = await ChildProcess.RunAsync("sync callers", ("DOTNET_PROCESSOR_COUNT", "2"));

        Assert.That(said, Does.Contain("served 101 with 1 exchange").And.Contain("on the context's own thread"), said);
        Assert.That(exitCode, Is.Zero);
    }

    // The compiler refuses an await inside of lock; what it does not know are these.
    [Test]
    public void P26_Nothing_is_there_that_could_be_held_across_an_await() =>
        Assert.That(
            new[] { "src/Nhi.TokenExchange", "src/Nhi.TokenExchange.Azure" }.SelectMany(Repository.Sources)
                .Where(file => !Known.Contains(Path.GetFileName(file.Path)) && Blocks().IsMatch(file.Text)).Select(file => file.Path),
            Is.Empty);

    [TestCase("gate.Wait(token);")]
    [TestCase("flight.Task.Wait();")]
    [TestCase("Task.WaitAll(flights);")]
    [TestCase("return flight.Task.Result;")]
    [TestCase("flight.GetAwaiter().GetResult();")]
    [TestCase("flight.ConfigureAwait(false).GetAwaiter().GetResult();")]
    [TestCase("Monitor.Enter(gate);")]
    public void P26_What_blocks_is_found(string line) => Assert.That(Blocks().IsMatch(line));

    [TestCase("Blocking.Wait(flight.AsTask());")]
    [TestCase("await flight.WaitAsync(token);")]
    [TestCase("TimeSpan wait = wait * 2;")]
    [TestCase("arguments.Outcome.Result")]
    [TestCase("activity.Outcome(result)")]
    public void P26_What_does_not_block_is_not_taken_for_it(string line) => Assert.That(Blocks().IsMatch(line), Is.False);

    // Blocking.Wait is the one place that may; the result of an outcome of Polly has come already.
    [GeneratedRegex(@"\b(SemaphoreSlim|Semaphore|Monitor\.(Enter|TryEnter|Wait)|Mutex|ReaderWriterLock\w*|ManualResetEvent\w*|AutoResetEvent|EventWaitHandle|SpinLock|Barrier)\b|\.GetResult\(\)|(?<!\bBlocking)\.Wait\(|\.Wait(All|Any)\(|(?<!\.Outcome)\.Result\b(?!\()")]
    private static partial Regex Blocks();
}
