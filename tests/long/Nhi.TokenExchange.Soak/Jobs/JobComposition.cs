using System.Security.Cryptography.X509Certificates;

namespace Nhi.TokenExchange.Soak;

/// <summary>Composes a virtual job as a user would: fourteen targets, five identities.</summary>
internal sealed class JobComposition(ChildOrders orders, TimeProvider time, IAuditSink audit, IAccessPolicy policy, Heard heard, PlantedBug? bug)
{
    // The issuer may leave a life unsaid: that of the planted bugs' runs is the shortest, four seconds and the margin.
    private static readonly TimeSpan ShortestLife = TimeSpan.FromSeconds(7);

    private readonly X509Certificate2Collection _roots = [X509Certificate2.CreateFromPem(orders.CertificatePem)];

    /// <summary>Composes a job.</summary>
    /// <param name="b">What it is composed with.</param>
    /// <param name="run">Its name.</param>
    /// <param name="longest">Its longest duration; null: none.</param>
    public void Compose(TokenExchangeBuilder b, string run, TimeSpan? longest)
    {
        b.Job(new JobContext { Pipeline = "soak", Run = run, Environment = "test" }).KillSwitch(SwitchOf(run))
            .Time(time).Policy(policy).Audit(audit).Logging(heard).TrustRoots(_roots).EndOnSignals(false);
        if (longest is { } limit)
            b.MaxDuration(limit);
        if (bug?.KeepsTrail?.Invoke(run) != false)
            b.AuditFolder(orders.TrailFolder);
        foreach (string audience in new[] { "authorization", "databricks", "entra", "vault" })
            b.Identity($"file-{audience}", Bugged(IdentitySources.OidcFile(Path.Combine(orders.ProofFolder, audience))), ActsFor.Workload);
        b.Identity("ci", Bugged(IdentitySources.GitHubActions()), ActsFor.Workload);
        foreach (SoakTarget target in SoakTarget.All)
        {
            string client = JobPlan.ClientOf(orders.Options, run, target);
            if (target.Kind == ExchangeKind.VaultLogin)   // as it is: a secret's target takes no other for its login
                b.Target(target.Name, Targets.VaultLogin(orders.Vault, client, o => o.UsableMargin = target.UsableMargin), options => options.Identity = "file-vault");
            else if (target.Kind == ExchangeKind.VaultSecret)
                b.Target(target.Name, Targets.VaultSecret(orders.Vault, JobPlan.VaultPathOf(run), o => o.UsableMargin = target.UsableMargin), options => options.Through = target.Through);
            else
                Add(b, target, ExchangerOf(target, client));
        }
    }

    /// <summary>The file that ends a job.</summary>
    public string SwitchOf(string run) => Path.Combine(orders.SwitchFolder, run);

    private void Add(TokenExchangeBuilder b, SoakTarget target, TokenExchanger<BearerToken> exchanger) => b.Target(target.Name, bug?.Exchanger?.Invoke(exchanger, heard) ?? exchanger, options =>
    {
        if (target.Proof == ProofKind.Hop)
            options.Through = target.Through;
        else
            options.Identity = target.Proof == ProofKind.Ci ? "ci" : $"file-{(target.IsDatabricks ? "databricks" : target.Kind == ExchangeKind.Entra ? "entra" : "authorization")}";
        options.Scopes = ScopeSet.Of(target.Scope);
        options.AllowedOrigins.Add(orders.Warehouse);
    });

    private IWorkloadIdentitySource Bugged(IWorkloadIdentitySource source) => bug?.Source?.Invoke(source, orders.Folder) ?? source;

    private TokenExchanger<BearerToken> ExchangerOf(SoakTarget target, string client) => target.Kind switch
    {
        ExchangeKind.JwtBearer => Targets.JwtBearer(orders.Authorization, o =>
        {
            o.Client.Id = client;
            (o.TokenEndpoint, o.RevocationEndpoint) = (At("token"), At("revoke"));
            (o.UsableMargin, o.DefaultLifetime) = (target.UsableMargin, ShortestLife);
        }),
        ExchangeKind.Databricks or ExchangeKind.DatabricksJwtBearer => Targets.Databricks(orders.Databricks, client, o =>
        {
            o.Dialect = target.Kind == ExchangeKind.Databricks ? DatabricksDialect.TokenExchange : DatabricksDialect.JwtBearer;
            o.UsableMargin = target.UsableMargin;
        }),
        ExchangeKind.Entra => Targets.Entra(orders.EntraTenant, client, o =>
        {
            o.AuthorityHost = orders.Entra;
            o.UsableMargin = target.UsableMargin;
        }),
        _ => Targets.Rfc8693(orders.Authorization, o =>
        {
            o.Client.Id = client;
            if (target.Kind != ExchangeKind.Rfc8693Discovered)
                (o.TokenEndpoint, o.RevocationEndpoint) = (At("token"), At("revoke"));
            if (target.Kind == ExchangeKind.Rfc8693Jwt)
                o.RequestedTokenType = SubjectTokenType.Jwt;
            (o.UsableMargin, o.DefaultLifetime) = (target.UsableMargin, ShortestLife);
        }),
    };

    private Uri At(string endpoint) => new($"{orders.Authorization.OriginalString}/{endpoint}");
}
