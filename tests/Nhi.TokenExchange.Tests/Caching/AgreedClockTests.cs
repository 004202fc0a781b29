namespace Nhi.TokenExchange.Tests.Caching;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class AgreedClockTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private readonly ManualTimeProvider _time = new(Start);

    private static bool Lives(AgreedClock clock, long tickEnd, DateTimeOffset end) => clock.IsBefore(tickEnd, clock.WallSecondOf(end));

    [Test]
    public void A_suspend_is_noticed_at_the_first_tick_after_it()
    {
        var clock = new AgreedClock(_time);
        Assert.That(Lives(clock, 600_000, Start.AddMinutes(10)), Is.True);
        _time.Suspend(TimeSpan.FromHours(1));
        _time.Advance(Tick);
        Assert.That(Lives(clock, 600_000, Start.AddMinutes(10)), Is.False);
    }

    [Test]
    public void A_wall_clock_set_back_does_not_lengthen_a_life()
    {
        var clock = new AgreedClock(_time);
        _time.SetWall(Start.AddHours(-2));
        _time.Advance(TimeSpan.FromMinutes(10) - Tick);
        Assert.That(Lives(clock, 600_000, Start.AddMinutes(10)), Is.True);
        _time.Advance(Tick);
        Assert.That(Lives(clock, 600_000, Start.AddMinutes(10)), Is.False);
    }

    [Test]
    public void A_wall_clock_set_forward_ends_a_life_at_once()
    {
        var clock = new AgreedClock(_time);
        _time.SetWall(new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
        _time.Advance(Tick);
        Assert.That(Lives(clock, 600_000, Start.AddMinutes(10)), Is.False);
    }

    [Test]
    public void T7_At_exactly_the_end_of_the_monotonic_hand_it_is_over()
    {
        var clock = new AgreedClock(_time);
        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.That(clock.IsBefore(1000, uint.MaxValue), Is.True);
        _time.Advance(Tick);
        Assert.That(clock.IsBefore(1000, uint.MaxValue), Is.False);
    }

    [Test]
    public void By_the_wall_hand_a_life_ends_never_late_and_at_most_two_seconds_early()
    {
        var random = new Random(20260101);
        for (int i = 0; i < 20_000; i++)
        {
            var time = new ManualTimeProvider(Start.AddTicks(random.NextInt64(TimeSpan.TicksPerDay)));
            var clock = new AgreedClock(time);
            DateTimeOffset end = time.GetUtcNow().AddTicks(random.NextInt64(5 * TimeSpan.TicksPerSecond, 100 * TimeSpan.TicksPerSecond));
            TimeSpan before = TimeSpan.FromTicks(random.NextInt64(-TimeSpan.TicksPerSecond, 4 * TimeSpan.TicksPerSecond));
            time.SetWall(end - before);
            time.Advance(Tick);
            before -= Tick;
            bool lives = Lives(clock, long.MaxValue, end);
            if (before <= TimeSpan.Zero)
                Assert.That(lives, Is.False, $"late: {before} before the end");
            if (before > TimeSpan.FromSeconds(2))
                Assert.That(lives, Is.True, $"too early: {before} before the end");
        }
    }

    [Test]
    public void T7_At_exactly_the_end_of_the_wall_hand_it_is_over()
    {
        var clock = new AgreedClock(_time);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.That(Lives(clock, long.MaxValue, Start.AddSeconds(10)), Is.False);
        Assert.That(Lives(clock, long.MaxValue, Start.AddSeconds(11)), Is.True);
    }

    [Test]
    public void After_seven_and_a_half_years_everything_is_over()
    {
        var clock = new AgreedClock(_time);
        var full = TimeSpan.FromSeconds((1 << 28) - 1) - TimeSpan.FromDays(365);
        uint end = clock.WallSecondOf(DateTimeOffset.MaxValue);
        _time.Advance(full - TimeSpan.FromSeconds(2));
        Assert.That(clock.IsBefore(long.MaxValue, end), Is.True);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.That(clock.IsBefore(long.MaxValue, end), Is.False);
        _time.Advance(TimeSpan.FromDays(3650));
        Assert.That(clock.IsBefore(long.MaxValue, end), Is.False);
    }

    [Test]
    public void What_is_issued_after_the_wall_was_set_before_the_start_lives_and_ends()
    {
        var clock = new AgreedClock(_time);
        _time.SetWall(Start.AddHours(-1));
        DateTimeOffset end = Start.AddMinutes(-50);
        _time.Advance(TimeSpan.FromMinutes(9));
        Assert.That(Lives(clock, long.MaxValue, end), Is.True);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(Lives(clock, long.MaxValue, end), Is.False);
    }

    [Test]
    public void A_wall_clock_long_before_the_start_counts_as_a_year_before_it()
    {
        var clock = new AgreedClock(_time);
        _time.SetWall(new DateTimeOffset(1970, 1, 1, 0, 0, 0, TimeSpan.Zero));
        _time.Advance(Tick);
        Assert.That(Lives(clock, long.MaxValue, Start), Is.True);
        Assert.That(Lives(clock, long.MaxValue, Start.AddDays(-400)), Is.False);
        Assert.That(clock.WallSecondOf(DateTimeOffset.MinValue), Is.Zero);
    }

    [Test]
    public void The_word_works_on_when_the_tick_has_more_than_36_bits()
    {
        var clock = new AgreedClock(_time);
        long wrap = 1L << 36;   // milliseconds: 2.2 years
        _time.Advance(TimeSpan.FromMilliseconds(wrap - 1));
        Assert.That(clock.IsBefore(wrap + 1, uint.MaxValue), Is.True);
        _time.Advance(Tick);
        Assert.That(clock.Tick, Is.EqualTo(wrap));
        Assert.That(clock.IsBefore(wrap + 1, uint.MaxValue), Is.True);
        _time.Suspend(TimeSpan.FromHours(1));
        _time.Advance(Tick);
        Assert.That(clock.IsBefore(wrap + 10, clock.WallSecondOf(clock.Now.AddMinutes(-30))), Is.False, "the wall is asked after the wrap too");
        Assert.That(clock.IsBefore(wrap + 1, uint.MaxValue), Is.False);
    }

    [Test]
    public void Far_times_do_not_overflow()
    {
        var clock = new AgreedClock(_time);
        Assert.That(clock.TickAfter(TimeSpan.MaxValue), Is.GreaterThan(0));
        Assert.That(clock.TickAfter(TimeSpan.MinValue), Is.LessThan(0));
        _time.SetWall(DateTimeOffset.MaxValue - TimeSpan.FromSeconds(1));
        _time.Advance(Tick);
        Assert.That(clock.IsBefore(long.MaxValue, clock.WallSecondOf(DateTimeOffset.MaxValue)), Is.False);
    }

    [Test]
    public void The_systems_clock_is_read_by_its_coarse_hand()
    {
        var clock = new AgreedClock(TimeProvider.System);
        long before = Environment.TickCount64;
        Assert.That(clock.Tick, Is.InRange(before, Environment.TickCount64));
    }

    [Test]
    public void A_clock_that_starts_in_the_first_year_of_all_works_too()
    {
        DateTimeOffset start = DateTimeOffset.MinValue.AddDays(1);
        var clock = new AgreedClock(new ManualTimeProvider(start));
        Assert.That(Lives(clock, 1000, start), Is.False);
        Assert.That(Lives(clock, 1000, start.AddSeconds(1)), Is.True);
        Assert.That(clock.InstantOf(clock.WallSecondOf(start)), Is.EqualTo(start));
    }

    [Test]
    public void What_ends_at_the_start_is_over_at_the_first_look()
    {
        var clock = new AgreedClock(_time);
        Assert.That(Lives(clock, 1000, Start), Is.False);
        Assert.That(Lives(clock, 1000, Start.AddSeconds(1)), Is.True);
    }

    [TestCase(0)]
    [TestCase(10, Description = "beyond what the word holds")]
    public void The_wall_is_asked_once_a_tick_and_not_at_each_look(int yearsAhead)
    {
        var counting = new CountingTime();
        var clock = new AgreedClock(counting);
        counting.Wall = Start.AddYears(yearsAhead);
        int before = counting.WallReads;
        for (int i = 0; i < 1000; i++)
            clock.IsBefore(long.MaxValue, uint.MaxValue);
        Assert.That(counting.WallReads - before, Is.Zero);
        for (int tick = 1; tick <= 2; tick++)
        {
            counting.Timestamp += TimeSpan.TicksPerMillisecond;
            for (int i = 0; i < 1000; i++)
                clock.IsBefore(long.MaxValue, uint.MaxValue);
            Assert.That(counting.WallReads - before, Is.EqualTo(tick));
        }
    }

    private sealed class CountingTime : TimeProvider
    {
        public int WallReads { get; private set; }

        public long Timestamp { get; set; }

        public DateTimeOffset Wall { get; set; } = Start;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Timestamp;

        public override DateTimeOffset GetUtcNow()
        {
            WallReads++;
            return Wall;
        }
    }
}
