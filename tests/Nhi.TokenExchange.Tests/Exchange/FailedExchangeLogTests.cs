using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace Nhi.TokenExchange.Tests;

/// <summary>An exchange that fails is a warning in the log, wherever the audit is recorded.</summary>
internal sealed class FailedExchangeLogTests
{
    [Test]
    public async Task A_first_exchange_that_fails_is_one_warning_where_the_audit_is_recorded_elsewhere()
    {
        using var heard = new FakeLoggerProvider();
        using ILoggerFactory log = LoggerFactory.Create(logging => logging.AddProvider(heard));
        await using TestJob job = await TestJob.StartAsync(issuer: Failing, more: b => b.Logging(log));

        Assert.That(async () => await job.Warehouse.GetAsync(), Throws.TypeOf<TokenExchangeException>());
        await job.QuietAsync();

        FakeLogRecord[] warnings = Warnings(heard);
        Assert.That(warnings.Select(line => line.Id.Id), Is.EqualTo(new[] { 304 }));
        Assert.That(warnings[0].Message, Does.StartWith("The exchange for warehouse failed (NHI4003, flight ").And.Contain("says no\\u001b"), "visible ASCII");
    }

    [Test]
    public async Task Where_the_audit_is_recorded_in_the_log_it_is_said_once()
    {
        using var heard = new FakeLoggerProvider();
        using ILoggerFactory log = LoggerFactory.Create(logging => logging.AddProvider(heard));
        await using TestJob job = await TestJob.StartAsync(issuer: Failing, more: b => b.Logging(log).AuditToLog());

        Assert.That(async () => await job.Warehouse.GetAsync(), Throws.TypeOf<TokenExchangeException>());
        await job.QuietAsync();

        Assert.That(Warnings(heard).Select(line => line.Id.Id), Is.EqualTo(new[] { 110 }));
    }

    [Test]
    public async Task A_refresh_that_fails_keeps_its_own_line()
    {
        using var heard = new FakeLoggerProvider();
        using ILoggerFactory log = LoggerFactory.Create(logging => logging.AddProvider(heard));
        await using TestJob job = await TestJob.StartAsync(more: b => b.Logging(log));
        await job.Warehouse.GetAsync();
        Failing(job.Issuer);

        job.Time.Advance(TimeSpan.FromMinutes(50));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();

        Assert.That(Warnings(heard).Select(line => line.Id.Id), Is.EqualTo(new[] { 301 }));
    }

    private static FakeLogRecord[] Warnings(FakeLoggerProvider heard) => [.. heard.Collector.GetSnapshot().Where(line => line.Level == LogLevel.Warning && line.Id.Id != 170)];

    private static void Failing(TestExchanger issuer) =>
        issuer.Answer = _ => throw new TokenExchangeException("NHI4003", ExchangeStage.Exchange, "The issuer says no\u001b.");
}
