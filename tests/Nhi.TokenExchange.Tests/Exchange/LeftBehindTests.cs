using Microsoft.Extensions.Primitives;

namespace Nhi.TokenExchange.Tests;

/// <summary>Work of a user's seam that was given up, and fails after that: nobody is told, as an unobserved exception neither.</summary>
[NonParallelizable]
internal sealed class LeftBehindTests
{
    [Test]
    public Task A_sink_that_fails_after_it_was_given_up() => Leaves(TimeSpan.FromSeconds(2), "NHI6001", (b, failing) => b.Audit(new Sink(failing)));

    [Test]
    public Task A_policy_that_fails_after_it_was_given_up() => Leaves(TimeSpan.FromSeconds(60), "NHI4009", (b, failing) => b.Policy(new Policy(failing)));

    [Test]
    public Task A_source_that_fails_after_it_was_given_up() => Leaves(TimeSpan.FromSeconds(60), "NHI4009", (b, failing) => b
        .Identity("late", new Source(failing), ActsFor.Workload)
        .Target("late", Targets.Rfc8693(new Uri("https://issuer.example/")), identity: "late"), "late");

    private static async Task Leaves(TimeSpan givenUpAfter, string code, Action<TokenExchangeBuilder, Func<Task>> compose, string target = "warehouse")
    {
        string canary = $"failed too late {Guid.NewGuid():N}";
        bool isUnobserved = false;
        void Note(object? sender, UnobservedTaskExceptionEventArgs told) => isUnobserved |= told.Exception.ToString().Contains(canary, StringComparison.Ordinal);
        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            await GiveUpAndFailAsync(givenUpAfter, code, compose, target, canary);
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }
        Assert.That(isUnobserved, Is.False);
    }

    private static async Task GiveUpAndFailAsync(TimeSpan givenUpAfter, string code, Action<TokenExchangeBuilder, Func<Task>> compose, string target, string canary)
    {
        var release = new TaskCompletionSource();
        var reached = new TaskCompletionSource();
        List<Task> failed = [];
        async Task FailLateAsync()
        {
            reached.TrySetResult();
            await release.Task;
            throw new InvalidOperationException(canary);
        }
        Task Failing()
        {
            Task failing = FailLateAsync();
            lock (failed)
                failed.Add(Swallowed(failing));
            return failing;
        }
        await using TestJob job = await TestJob.StartAsync(more: b => compose(b, Failing));
        Task<BearerToken> asking = job.Session.Provider<BearerToken>(target).GetAsync().AsTask();
        await reached.Task;
        await Eventually.HoldsAsync(() => job.Time.PendingTimers >= 1, "a timer that gives up");

        // Now and then: by the time the give-up has come to its caller, no other deadline of his may have passed.
        int looks = 0;
        await Eventually.HoldsAsync(
            () =>
            {
                if (!asking.IsCompleted && looks++ % 500 == 0)
                    job.Time.Advance(givenUpAfter);
                return asking.IsCompleted;
            },
            "what hangs is given up");

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(() => asking);
        Assert.That(error!.Code, Is.EqualTo(code));
        release.SetResult();
        Task[] all;
        lock (failed)
            all = [.. failed];
        await Task.WhenAll(all);
    }

    // Waits for the end without looking at the exception.
    private static Task Swallowed(Task failing)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        failing.GetAwaiter().UnsafeOnCompleted(ended.SetResult);
        return ended.Task;
    }

    // Not Moq's: those keep what they returned.
    private sealed class Sink(Func<Task> failing) : IAuditSink
    {
        public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken) => new(failing());
    }

    private sealed class Policy(Func<Task> failing) : IAccessPolicy
    {
        public string Revision => "1";

        public IChangeToken GetChangeToken() => new CancellationChangeToken(CancellationToken.None);

        public async ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken)
        {
            await failing();
            throw new InvalidOperationException("It had to fail.");
        }
    }

    private sealed class Source(Func<Task> failing) : IWorkloadIdentitySource
    {
        public async ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken)
        {
            await failing();
            throw new InvalidOperationException("It had to fail.");
        }
    }
}
