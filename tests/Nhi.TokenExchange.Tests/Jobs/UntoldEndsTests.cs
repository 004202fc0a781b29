namespace Nhi.TokenExchange.Tests.Jobs;

/// <summary>What the audit has refused is told once more at a job's end, and nothing else is.</summary>
internal sealed class UntoldEndsTests
{
    private readonly object _credential = new();

    // A revocation is answered when the job's end has waited for the last record: its own is on its way.
    [Test]
    public async Task What_is_on_its_way_for_the_first_time_is_waited_for_and_not_told_beside_that()
    {
        var ends = new UntoldEnds();
        var audit = new TaskCompletionSource<bool>();
        int told = 0;
        UntoldEnd end = ends.Add(EndOf(() =>
        {
            told++;
            return audit.Task;
        }));

        Task first = ends.TellAsync(end);
        Task again = ends.TellAgainAsync();
        for (int i = 0; i < 10_000 && !again.IsCompleted; i++)
            await Task.Yield();
        Assert.That(again.IsCompleted, Is.False);
        audit.SetResult(true);
        await again;
        Assert.That((told, ends.Count), Is.EqualTo((1, 0)));
        await first;
    }

    [Test]
    public async Task What_was_refused_is_told_once_more_and_no_more_than_that()
    {
        var ends = new UntoldEnds();
        int told = 0;
        await ends.TellAsync(ends.Add(EndOf(() => Task.FromResult(++told > 1))));

        await Task.WhenAll(ends.TellAgainAsync(), ends.TellAgainAsync());

        Assert.That((told, ends.Count), Is.EqualTo((2, 0)));
    }

    [Test]
    public async Task Of_one_that_could_not_be_ended_first_the_last_end_alone_is_told_again()
    {
        var ends = new UntoldEnds();
        int first = 0, last = 0;
        await ends.TellAsync(ends.Add(EndOf(() => Task.FromResult(++first > 1))));
        await ends.TellAsync(ends.Add(EndOf(() => Task.FromResult(++last > 1))));

        await ends.TellAgainAsync();

        Assert.That((first, last, ends.Count), Is.EqualTo((1, 2, 0)));
    }

    private UntoldEnd EndOf(Func<Task<bool>> recordAsync) => new(_credential, recordAsync, () => { }, () => { });
}
