using System.Globalization;

namespace Nhi.TokenExchange.Tests;

/// <summary>A job with one target at an emulated authorization server, with real sockets between them. For what needs an issuer that keeps the rules: proofs verified, uses and ends seen, faults of the network.</summary>
internal sealed class EmulatedJob : IAsyncDisposable
{
    public const string Scope = "dataset:orders";
    public const string Client = "orders";

    private EmulatedJob(IdentityEmulator emulator, JobIdentity identity, RecordingSink audit, JobSession session)
    {
        Emulator = emulator;
        Identity = identity;
        Audit = audit;
        Session = session;
        Warehouse = session.Provider<BearerToken>("warehouse");
    }

    public IdentityEmulator Emulator { get; }

    public JobIdentity Identity { get; }

    public RecordingSink Audit { get; }

    public JobSession Session { get; }

    public CredentialProvider<BearerToken> Warehouse { get; }

    public int Exchanges => Emulator.Ledger.Requests.Of(EmulatorEndpoint.AuthorizationToken);

    /// <summary>Starts both.</summary>
    /// <param name="time">The job's clock; the system's if null. Waits before a further try are the shortest there are.</param>
    /// <param name="emulated">The emulator's clock; the job's if null.</param>
    /// <param name="proof">Changes each proof before it is signed.</param>
    /// <param name="target">Changes the exchanger's options.</param>
    /// <param name="more">Changes the job.</param>
    public static async Task<EmulatedJob> StartAsync(
        TimeProvider? time = null, TimeProvider? emulated = null, Action<ProofClaims>? proof = null, Action<Rfc8693Options, IdentityEmulator>? target = null, Action<TokenExchangeBuilder>? more = null)
    {
        time ??= TimeProvider.System;
        IdentityEmulator emulator = await StartEmulatorAsync(emulated ?? time);
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        emulator.Authorization.AddClient(Client, identity.Subject, Scope);
        var audit = new RecordingSink();
        JobSession session = await JobSession.StartAsync(b => Compose(b, emulator, identity, time, proof, target, audit, more));
        return new EmulatedJob(emulator, identity, audit, session);
    }

    public static Task<IdentityEmulator> StartEmulatorAsync(TimeProvider time) => IdentityEmulator.StartAsync(o =>
    {
        o.Time = time;
        o.ProofAlgorithm = "ES256";   // no RSA key per test
    });

    /// <summary>Another job at the same emulator, for the same client.</summary>
    public Task<JobSession> AnotherAsync(TimeProvider? time = null) => JobSession.StartAsync(b => Compose(b, Emulator, Identity, time ?? TimeProvider.System, null, null, Audit, null));

    public HttpClient NewClient() => new(Session.CreateHandler("warehouse")) { BaseAddress = Emulator.Warehouse.Address };

    /// <summary>Reads rows with a client of its own; gives the status.</summary>
    public async Task<int> ReadAsync()
    {
        using HttpClient http = NewClient();
        using HttpResponseMessage response = await http.GetAsync("api/datasets/orders/rows?from=0&count=1");
        return (int)response.StatusCode;
    }

    /// <summary>The issuer ends a token behind the job's back.</summary>
    public async Task RevokeAtTheIssuerAsync(BearerToken token)
    {
        using var http = new HttpClient();
        using var form = new FormUrlEncodedContent([new("client_id", Client), new("token", token.Reveal())]);
        using HttpResponseMessage response = await http.PostAsync(Emulator.Authorization.RevocationEndpoint, form);
        Assert.That(response.IsSuccessStatusCode, Is.True, ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        Emulator.Faults.Clear();
        try
        {
            await BoundedEnd.EndAsync(Session, Audit);
        }
        finally
        {
            await Emulator.DisposeAsync();
        }
    }

    private static void Compose(
        TokenExchangeBuilder b, IdentityEmulator emulator, JobIdentity identity, TimeProvider time, Action<ProofClaims>? proof, Action<Rfc8693Options, IdentityEmulator>? target, IAuditSink audit, Action<TokenExchangeBuilder>? more)
    {
        b.Identity("job", IdentitySources.From((request, _) => new ValueTask<SubjectToken>(new SubjectToken(identity.Mint(request.Audience.ToString(), proof), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target(
                "warehouse",
                Targets.Rfc8693(emulator.Authorization.Issuer, o =>
                {
                    o.Client.Id = Client;
                    target?.Invoke(o, emulator);
                }),
                t =>
                {
                    t.Identity = "job";
                    t.Scopes = ScopeSet.Of(Scope);
                    t.AllowedOrigins.Add(emulator.Warehouse.Address);
                })
            .Audit(audit).Time(time).Jitter(() => 0).EndWithin(TimeSpan.FromMinutes(1)).EndOnSignals(false);
        more?.Invoke(b);
    }
}
