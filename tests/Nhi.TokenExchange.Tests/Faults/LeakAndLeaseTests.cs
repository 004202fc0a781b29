using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Tokens that leak, leases that stay, answers that overflow.</summary>
internal sealed class LeakAndLeaseTests
{
    [TestCase('\r')]
    [TestCase('\n')]
    [TestCase('\0')]
    [TestCase('é')]
    [TestCase(' ')]
    public void P53_A_token_that_no_header_may_hold_is_refused_by_position_and_not_quoted(char illegal)
    {
        string canary = Guid.NewGuid().ToString("N");
        foreach (Func<string, object> make in new Func<string, object>[] { token => new BearerToken(token, DateTimeOffset.MaxValue), token => new SubjectToken(token, SubjectTokenType.Jwt) })
        {
            ArgumentException refused = Assert.Throws<ArgumentException>(() => make($"{canary}{illegal}"))!;
            Assert.That(refused.ToString(), Does.Contain($"position {canary.Length} of {canary.Length + 1}").And.Not.Contain(canary));
        }
    }

    [Test]
    public void P54_What_holds_a_token_shows_it_to_no_printer_no_serializer_and_no_debugger()
    {
        string canary = Guid.NewGuid().ToString("N");
        foreach (object holder in new object[] { new BearerToken(canary, DateTimeOffset.UnixEpoch), new SubjectToken(canary, SubjectTokenType.AccessToken) })
        {
            Assert.That($"{holder}{JsonSerializer.Serialize(holder, holder.GetType())}", Does.Not.Contain(canary));
            Assert.That(holder.GetType().GetCustomAttribute<DebuggerDisplayAttribute>()!.Value, Is.EqualTo("{ToString(),nq}"));
            for (Type? type = holder.GetType(); type is not null; type = type.BaseType)
            {
                foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public).Where(field => canary.Equals(field.GetValue(holder))))
                    Assert.That(field.GetCustomAttribute<DebuggerBrowsableAttribute>()!.State, Is.EqualTo(DebuggerBrowsableState.Never), field.Name);
            }
        }
    }

    [Test]
    public async Task P55_A_thousand_jobs_leave_no_lease_open()
    {
        await using EmulatedJob first = await EmulatedJob.StartAsync();

        await Parallel.ForAsync(0, 1_000, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, cancellationToken) =>
        {
            await using JobSession job = await first.AnotherAsync();
            await job.Provider<BearerToken>("warehouse").GetAsync(cancellationToken);
        });

        IReadOnlyList<LedgerIssue> issued = first.Emulator.Ledger.Issued;
        Assert.That((issued.Count, issued.Count(issue => issue.RevokedAt is null)), Is.EqualTo((1_000, 0)));
    }

    [TestCase(200, "", LeaseEnd.Revoked)]
    [TestCase(400, """{"error":"unsupported_token_type"}""", LeaseEnd.CannotBeRevoked)]
    [TestCase(400, """{"error":"invalid_request"}""", LeaseEnd.Failed)]
    [TestCase(404, "", LeaseEnd.Failed)]
    [TestCase(503, "", LeaseEnd.Failed)]
    [TestCase(0, "silence", LeaseEnd.Failed)]
    public async Task P56_A_revocation_ends_in_time_and_what_is_not_revoked_is_reported_with_the_instant_it_dies(int status, string body, LeaseEnd end)
    {
        await using var issuer = new ScriptedIssuer(request => request.Path == "/token" ? ScriptedAnswer.Json(WireSamples.Answer())
            : status == 0 ? ScriptedAnswer.Silence(() => { })
            : ScriptedAnswer.Json(body, status));
        await using JobSession job = await ScriptedJob.StartAsync(issuer.Uri, more: b => b.EndWithin(status is 503 or 0 ? TimeSpan.FromSeconds(1) : TimeSpan.FromMinutes(1)));
        BearerToken token = await job.Provider<BearerToken>("warehouse").GetAsync();

        JobReport report = await job.CompleteAsync();

        LeaseOutcome outcome = report.Leases.Single();
        Assert.That((outcome.End, outcome.DiesAt, outcome.Fingerprint), Is.EqualTo((end, token.ExpiresAt, token.Fingerprint)));
        Assert.That(issuer.Requests.Count(request => request.Path == "/revoke"), Is.InRange(1, 40));
    }

    [Test]
    public async Task P56_What_has_died_by_itself_needs_no_revocation()
    {
        await using TestJob job = await TestJob.StartAsync();
        await job.Warehouse.GetAsync();
        job.Time.Advance(TimeSpan.FromHours(2));

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.AllEnded);
        Assert.That(job.Issuer.Revoked, Is.Empty);
    }

    [Test]
    public async Task P59_A_foreign_body_is_shown_in_no_error([Values(200, 400, 403, 404, 500, 502, 503)] int status, [Values("text/html", "text/plain", "application/json")] string type)
    {
        string canary = Guid.NewGuid().ToString("N");
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Text($$"""{"detail":"{{canary}}","error":"e{{canary}}{{canary}}","stack":"{{canary}}"}""", type, status));

        TokenExchangeException failure = await ScriptedJob.FailureAsync(issuer);

        Assert.That(failure.ToString(), Does.Not.Contain(canary));
        Assert.That(failure.IssuerError?.Length ?? 0, Is.LessThanOrEqualTo(200));
    }

    private static IEnumerable<TestCaseData> Overflows() =>
        from one in new (string Name, Fault Fault)[]
        {
            ("a life of 2^63 - 1", Fault.ExpiresIn("9223372036854775807")), ("a life beyond 64 bits", Fault.ExpiresIn("99999999999999999999999")),
            ("a negative life", Fault.ExpiresIn("-1")), ("a life of 1e400", Fault.ExpiresIn("1e400")), ("no life", Fault.ExpiresIn("0")),
            ("a body of 4 MiB", Fault.Huge(4 * 1024 * 1024)), ("a scope of 100,000 characters", Fault.Field("scope", $"\"{new string('x', 100_000)}\"")),
            ("arrays 5,000 deep", Fault.Field("authorization_details", $"{new string('[', 5_000)}{new string(']', 5_000)}")),
        }
        select new TestCaseData(one.Fault).SetArgDisplayNames(one.Name);

    [TestCaseSource(nameof(Overflows))]
    public async Task P60_An_answer_that_would_overflow_something_is_refused_once_and_what_it_brought_is_ended(Fault fault)
    {
        await using EmulatedJob job = await EmulatedJob.StartAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.AuthorizationToken, fault);

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Warehouse.GetAsync().AsTask())!;

        Assert.That(refused.Code, Does.Match("^NHI[45][0-9]{3}$"));
        Assert.That(job.Exchanges, Is.EqualTo(1));
        Assert.That(job.Emulator.Ledger.Issued.Where(issue => issue.RevokedAt is null), Is.Empty);
    }
}
