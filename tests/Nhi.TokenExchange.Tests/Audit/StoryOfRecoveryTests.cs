namespace Nhi.TokenExchange.Tests;

/// <summary>The story of a job that dealt with what a killed one left behind: whose line is whose.</summary>
internal sealed class StoryOfRecoveryTests : AuditTrailFixture
{
    private static readonly JobContext Killed = new() { Pipeline = "orders", Run = "4711" };
    private static readonly JobContext Next = new() { Pipeline = "orders", Run = "4712" };
    private static readonly Guid KilledSession = Guid.Parse("00000001-0000-0000-0000-000000000000");
    private static readonly Guid NextSession = Guid.Parse("00000002-0000-0000-0000-000000000000");

    [Test]
    public void A_session_is_headed_by_its_own_job_and_says_of_which_job_a_credential_was_left_behind()
    {
        Assert.That(Story(), Is.EqualTo("""
            2026-11-03T02:00:00.000Z pipeline orders, run 4712 [session 00000002-0000-0000-0000-000000000000]
              +00:00:01.000 warehouse revoked: a: recovered from the journal of a job that was killed [left behind by pipeline orders, run 4711, session 00000001-0000-0000-0000-000000000000]
              +00:00:02.000 the job is cut short
              +00:00:03.000 warehouse revoked: b

            """.ReplaceLineEndings(Environment.NewLine)));
    }

    [Test]
    public void It_is_so_of_the_killed_run_alone() =>
        Assert.That(Story(told => told.Job.Run == "4711"), Is.EqualTo("""
            2026-11-03T02:00:00.000Z pipeline orders, run 4712 [session 00000002-0000-0000-0000-000000000000]
              +00:00:01.000 warehouse revoked: a: recovered from the journal of a job that was killed [left behind by pipeline orders, run 4711, session 00000001-0000-0000-0000-000000000000]

            """.ReplaceLineEndings(Environment.NewLine)));

    private string Story(Func<AuditEvent, bool>? which = null)
    {
        new ChainFiles(run: "4712").Part().Add(
            Event(AuditEventKind.Revoked, 1, Killed, KilledSession, "a", "recovered from the journal of a job that was killed"),
            Event(AuditEventKind.JobCutShort, 2, Next, null, null, null),
            Event(AuditEventKind.Revoked, 3, Next, NextSession, "b", null)).End().WriteTo(Folder);
        using var text = new StringWriter();
        Assert.That(AuditTrail.Verify(Folder, onRecord: new AuditTimeline(text, which).Add).IsIntact);
        return text.ToString();
    }

    // Told by the next job's session. The first half of a flight's id is that of its session.
    private static AuditEvent Event(AuditEventKind kind, int second, JobContext job, Guid? flightOf, string? fingerprint, string? reason) => new()
    {
        Kind = kind, At = SampleEvents.Start.AddSeconds(second), Elapsed = TimeSpan.FromSeconds(second), SessionId = NextSession, FlightId = flightOf is { } session ? new Guid([.. session.ToByteArray()[..8], .. new byte[7], 9]) : Guid.Empty,
        Target = flightOf is null ? "" : "warehouse", Job = job, Fingerprint = fingerprint, Reason = reason,
    };
}
