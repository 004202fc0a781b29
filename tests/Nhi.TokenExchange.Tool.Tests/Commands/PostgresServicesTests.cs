using System.Collections.Concurrent;
using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>Several services of PostgreSQL in one run: the fault of one is not the others'.</summary>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
internal sealed class PostgresServicesTests
{
    [Test]
    public async Task A_target_that_fails_keeps_its_last_login_and_no_other_from_the_next()
    {
        ManualTimeProvider time = new(), looks = new();   // the job's, and that of the files
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => (o.ProofAlgorithm, o.Time) = ("ES256", time));
        JobIdentity identity = emulator.JobIdentity(ProofShape.Kubernetes);
        Database orders = new("orders"), archive = new("archive");
        await using JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new ValueTask<SubjectToken>(new SubjectToken(identity.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("orders", orders, "job").Target("archive", archive, "job").EndOnSignals(false).Time(time));
        var caller = new CredentialCaller("exec 1", "psql");
        using var folder = HelperFolder.Open();
        var warnings = new ConcurrentQueue<string>();
        PostgresServices services = await PostgresServices.OpenAsync(folder, [new PostgresService(session, "orders", caller, null), new PostgresService(session, "archive", caller, null)], warnings.Enqueue, looks, CancellationToken.None);
        await using (services)
        {
            orders.Refuses = true;
            for (int login = 2; login <= 4; login++)
            {
                string next = $"user=archive_{login}\n";
                time.Advance(TimeSpan.FromSeconds(65));   // a refresh is due at half of two minutes
                await Eventually.HoldsAsync(
                    () =>
                    {
                        looks.Advance(TimeSpan.FromSeconds(5));
                        return Written().Contains(next, StringComparison.Ordinal);
                    },
                    $"the file has login {login} of the target that works");
            }

            Assert.That(Written(), Does.Contain("user=orders_1\n"));
            Assert.That(warnings, Is.Not.Empty.And.All.StartsWith("The login of 'orders' is not renewed: NHI"), string.Join('\n', warnings));
        }

        string Written() => File.ReadAllText(Path.Combine(folder.Path, "pg_service.conf"));
    }

    // Gives logins of two minutes.
    private sealed class Database(string name) : TokenExchanger<DatabaseLogin>
    {
        private int _logins;

        public override Uri Issuer => new($"postgres://{name}.example:5432/{name}");

        public override Audience SubjectAudience => new("https://databases.example");

        public bool Refuses { get; set; }

        public override ValueTask<Issued<DatabaseLogin>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken) => Refuses
            ? throw new TokenExchangeException("NHI4001", ExchangeStage.Exchange, "The server is down.")
            : new(new Issued<DatabaseLogin>(new DatabaseLogin($"{name}_{++_logins}", $"of-{name}-{_logins}", request.Time.GetUtcNow().AddMinutes(2))));
    }
}
