using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Tests;

/// <summary>What a log that hangs has no room for.</summary>
internal sealed class SessionLogTests
{
    [Test]
    public async Task Lines_that_are_lost_while_the_log_hangs_are_counted_and_said_when_it_takes_lines_again()
    {
        using var heard = new Telemetry();
        using var log = new LoggedText();
        using ManualResetEventSlim hangs = new(), gate = new();
        var session = new SessionLog(log, new InTurn(mostWaiting: 4), new ManualTimeProvider(), JobContext.Unnamed, ExchangeMeter.Of(heard.Meters));
        session.SayLater(_ =>
        {
            hangs.Set();
            gate.Wait();
        });
        Assert.That(hangs.Wait(TimeSpan.FromMinutes(1)));

        for (int i = 0; i < 10; i++)
            session.SayLater(one => one.AuditNotEnded(JobContext.Unnamed));
        Assert.That(heard.Of("nhi.log.dropped").Sum(one => one.Value), Is.EqualTo(6));
        Assert.That(log.Text, Is.Empty);
        await session.SaidAsync();   // nothing is to be said: nothing is lost
        gate.Set();

        await Eventually.HoldsAsync(() => Lines().Count(line => line.StartsWith("The audit has not come to its end", StringComparison.Ordinal)) == 4, "the lines that waited");
        Assert.That(Lines().Where(line => line.Contains(" line(s) of this log were lost", StringComparison.Ordinal) && char.IsAsciiDigit(line[0])), Is.EqualTo(new[] { "6 line(s) of this log were lost: it took none, and as many waited for it as may (unnamed job)" }), "said once");

        string[] Lines() => log.Text.Split('\n');
    }

    [Test]
    public async Task Where_no_thread_can_be_had_for_the_log_a_line_breaks_nothing_and_is_said_with_the_next()
    {
        using var heard = new Telemetry();
        using var log = new LoggedText();
        int started = 0;
        var turns = new InTurn(start: run => ++started == 1 ? throw new TaskSchedulerException() : Task.Run(run));
        var session = new SessionLog(log, turns, new ManualTimeProvider(), JobContext.Unnamed, ExchangeMeter.Of(heard.Meters));

        session.SayLater(one => one.LogWarning("the first"));
        Assert.That(log.Text, Is.Empty);
        await session.SayAsync(one => one.LogWarning("the second"));

        Assert.That(log.Text, Does.Match("(?s)the first.*the second"));
        Assert.That(heard.Of("nhi.log.dropped"), Is.Empty);
        session.SayNoMore();
    }

    [Test]
    public async Task A_line_that_is_said_late_says_what_it_was_made_of()
    {
        using var heard = new Telemetry();
        using var log = new LoggedText();
        using ManualResetEventSlim hangs = new(), gate = new();
        var session = new SessionLog(log, new InTurn(), new ManualTimeProvider(), JobContext.Unnamed, ExchangeMeter.Of(heard.Meters));
        session.SayLater(_ =>
        {
            hangs.Set();
            gate.Wait();
        });
        Assert.That(hangs.Wait(TimeSpan.FromMinutes(1)));
        var unwaited = new UnwaitedLogger(log, session);

        unwaited.Rejected("warehouse", "1111");
        unwaited.Rejected("lake", "2222");
        gate.Set();
        await session.SaidAsync();

        Assert.That(log.Text, Does.Match("(?s)credential of warehouse was rejected[^\n]*1111.*credential of lake was rejected[^\n]*2222"));
        session.SayNoMore();
    }
}
