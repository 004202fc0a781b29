using System.Security.Cryptography.X509Certificates;

namespace Nhi.TokenExchange.Soak;

/// <summary>Composes a virtual job as a user would: twelve targets, two identities.</summary>
internal sealed class JobComposition(ChildOrders orders, TimeProvider time, IAuditSink audit, IAccessPolicy policy, Heard heard, PlantedBug? bug)
{
    // The issuer may leave a life unsaid: that of the planted bugs' runs is the shortest, four seconds and the margin.
    private static readonly TimeSpan ShortestLife = TimeSpan.FromSeconds(7);

    private readonly X509Certificate2Collection _roots = [X509Certificate2.CreateFromPem(orders.CertificatePem)];

    public Task<JobSession> StartAsync(string run) => JobSession.StartAsync(b =>
    {
        b.Job(new JobContext { Pipeline = "soak", Run = run, Environment = "test" })
            .Time(time).Policy(policy).Audit(audit).Logging(heard).TrustRoots(_roots).EndOnSignals(false);
        foreach (string audience in new[] { "authorization", "databricks", "entra" })
            b.Identity($"file-{audience}", Bugged(IdentitySources.OidcFile(Path.Combine(orders.ProofFolder, audience))), ActsFor.Workload);
        b.Identity("ci", Bugged(IdentitySources.GitHubActions()), ActsFor.Workload);
        foreach (SoakTarget target in SoakTarget.All)
        {
            TokenExchanger<BearerToken> exchanger = ExchangerOf(target, JobPlan.ClientOf(orders.Options, run, target));
            b.Target(target.Name, bug?.Exchanger?.Invoke(exchanger, heard) ?? exchanger, options =>
            {
                if (target.Proof == ProofKind.Hop)
                    options.Through = SoakTarget.HopThrough;
                else
                    options.Identity = target.Proof == ProofKind.Ci ? "ci" : $"file-{(target.IsDatabricks ? "databricks" : target.Kind == ExchangeKind.Entra ? "entra" : "authorization")}";
                options.Scopes = ScopeSet.Of(target.Scope);
                options.AllowedOrigins.Add(orders.Warehouse);
            });
        }
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
