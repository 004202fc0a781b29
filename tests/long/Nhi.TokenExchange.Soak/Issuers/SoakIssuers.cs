namespace Nhi.TokenExchange.Soak;

/// <summary>The emulator as the issuers of a run: every client of every job, and the proofs.</summary>
internal sealed class SoakIssuers : IAsyncDisposable
{
    private readonly JobIdentity _pod;

    private SoakIssuers(IdentityEmulator emulator)
    {
        Emulator = emulator;
        _pod = emulator.JobIdentity(ProofShape.Kubernetes);
        Ci = emulator.JobIdentity(ProofShape.GitHub);
    }

    public IdentityEmulator Emulator { get; }

    public JobIdentity Ci { get; }

    /// <summary>The proofs that lie in files, by file name, and for whom each is made.</summary>
    public IReadOnlyList<(string File, string Audience)> Files =>
    [
        ("authorization", Emulator.Authorization.Issuer.OriginalString),
        ("databricks", Emulator.Databricks.TokenEndpoint.OriginalString),
        ("entra", Emulator.Entra.ExchangeAudience),
        ("vault", Emulator.Vault.Address.GetLeftPart(UriPartial.Authority)),
    ];

    public static async Task<SoakIssuers> StartAsync(SoakOptions options, SoakTime time)
    {
        IdentityEmulator emulator = await IdentityEmulator.StartAsync(o =>
        {
            o.Time = time;
            o.Seed = options.Seed;
            (o.ProofAlgorithm, o.EntraAlgorithm) = ("ES256", "ES256");
        });
        var issuers = new SoakIssuers(emulator);
        foreach (string run in JobPlan.AllRuns(options))
        {
            foreach (SoakTarget target in SoakTarget.All)
                issuers.Register(options, run, target);
        }

        return issuers;
    }

    public void Mint(string folder, string file, string audience) => _pod.WriteProofFile(Path.Combine(folder, file), audience);

    public ValueTask DisposeAsync() => Emulator.DisposeAsync();

    private void Register(SoakOptions options, string run, SoakTarget target)
    {
        string client = JobPlan.ClientOf(options, run, target);
        TimeSpan life = JobPlan.UsableLife(options, run, target) + target.UsableMargin;
        string? subject = target.Proof switch { ProofKind.Ci => Ci.Subject, ProofKind.File => _pod.Subject, _ => null };
        if (target.IsDatabricks)
        {
            Emulator.Databricks.AddServicePrincipal(client, subject, target.Scope);
            Emulator.Databricks.TokenLifetime = life;
        }
        else if (target.Kind == ExchangeKind.Entra)
        {
            Emulator.Entra.AddApplication(client).Trust(_pod);
            Emulator.Entra.TokenLifetime = life;
        }
        else if (target.Kind == ExchangeKind.VaultLogin)
        {
            VaultRole role = Emulator.Vault.AddRole(client, _pod.Subject);
            (role.TokenTtl, role.TokenMaxTtl) = (life, 2 * life);   // renewed once, and then another is got
        }
        else if (target.Kind == ExchangeKind.VaultSecret)
        {
            VaultSecretRole secret = Emulator.Vault.AddSecret(JobPlan.VaultPathOf(run));
            (secret.Ttl, secret.MaxTtl) = (life, 2 * life);
        }
        else
        {
            Emulator.Authorization.AddClient(client, subject, target.Scope).TokenLifetime = life;
        }
    }
}
