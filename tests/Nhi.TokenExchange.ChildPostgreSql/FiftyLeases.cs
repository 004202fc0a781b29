namespace Nhi.TokenExchange.Tests;

/// <summary>What a job declares that has twenty-five logins of a PostgreSQL server and twenty-five secrets of a Vault: of the one that is killed, and of the one that recovers.</summary>
/// <param name="Database">How the admin of the database is reached.</param>
/// <param name="Prefix">What the names of its roles begin with.</param>
/// <param name="Vault">The address of the Vault.</param>
/// <param name="Proof">The file with the job's proof, for the Vault.</param>
/// <param name="Journal">The folder of journals.</param>
internal sealed record FiftyLeases(string Database, string Prefix, Uri Vault, string Proof, string Journal)
{
    public const int OfEach = 25;

    /// <summary>What the Vault's login is for, and what it may read.</summary>
    public const string Role = "orders", Path = "database/creds/readonly";

    // The tests have Vault give seconds, where they want to see renewals.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(1);

    /// <summary>As the arguments of a process.</summary>
    public string[] Arguments => [Database, Prefix, Vault.OriginalString, Proof, Journal];

    public static FiftyLeases Of(string[] arguments) => new(arguments[0], arguments[1], new Uri(arguments[2]), arguments[3], arguments[4]);

    public TokenExchangeBuilder Compose(TokenExchangeBuilder builder)
    {
        string audience = Vault.GetLeftPart(UriPartial.Authority);
        builder.Identity("job", IdentitySources.OidcFile(Proof), ActsFor.Workload)
            .Target("vault", Targets.VaultLogin(Vault, Role, options => (options.SubjectAudience, options.UsableMargin) = (audience, Margin)), "job")
            .EndOnSignals(false).EndWithin(TimeSpan.FromMinutes(2)).Journal(Journal);
        for (int i = 0; i < OfEach; i++)
        {
            builder.Target($"secret-{i}", Targets.VaultSecret(Vault, Path, options => options.UsableMargin = Margin), target => target.Through = "vault");
            builder.Target($"login-{i}", Targets.PostgresRole(Database, options => (options.RolePrefix, options.SubjectAudience) = (Prefix, audience)), "job", "orders_reader");
        }
        return builder;
    }

    public Task GetAllAsync(JobSession job, Action got) => Task.WhenAll(Enumerable.Range(0, OfEach).SelectMany(i => new[] { GetAsync<VaultSecret>(job, $"secret-{i}", got), GetAsync<DatabaseLogin>(job, $"login-{i}", got) }));

    private static async Task GetAsync<T>(JobSession job, string target, Action got)
        where T : Credential
    {
        await job.Provider<T>(target).GetAsync();
        got();
    }
}
