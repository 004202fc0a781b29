using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>A whole job at an issuer that answers as the test says: what was asked, handed out, revoked, recorded and said. Waits are skipped. For one answer and what follows from it, without a socket.</summary>
internal sealed class AnsweredJob : IAsyncDisposable
{
    private readonly LoggedText _logs;

    private AnsweredJob(JobSession session, SkippingTime time, AnsweringWire wire, RecordingSink audit, LoggedText logs)
    {
        Session = session;
        Time = time;
        Wire = wire;
        Audit = audit;
        _logs = logs;
    }

    /// <summary>Stands in each proof's signature and in each issued token, new for each run.</summary>
    public static string Canary { get; } = $"canary{RandomNumberGenerator.GetHexString(20, lowercase: true)}";

    /// <summary>A token with the canary in it.</summary>
    public static string Token { get; } = $"at-{Canary}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";

    public JobSession Session { get; }

    public SkippingTime Time { get; }

    public AnsweringWire Wire { get; }

    public RecordingSink Audit { get; }

    public CredentialProvider<BearerToken> Warehouse => Session.Provider<BearerToken>("warehouse");

    /// <summary>A JWT with these claims and the canary for a signature.</summary>
    public static string Jwt(string payload, string header = Proofs.Rs256, string? canary = null)
    {
        byte[] signature = new byte[256];
        Encoding.UTF8.GetBytes(canary ?? Canary).CopyTo(signature, 0);
        return $"{Proofs.Part(header)}.{Proofs.Part(payload)}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>A good answer with more members, or with others in the place of the usual ones.</summary>
    public static string Answer(string? token = null, string type = "\"token_type\":\"Bearer\"", string life = "\"expires_in\":3600", string more = "") =>
        $$"""{"access_token":"{{token ?? Token}}","issued_token_type":"urn:ietf:params:oauth:token-type:access_token"{{string.Concat(new[] { type, life, more }.Where(part => part.Length > 0).Select(part => "," + part))}}}""";

    public static Task<AnsweredJob> StartAsync(string answer, Action<Rfc8693Options>? options = null) => StartAsync(_ => AnsweringWire.Json(answer), options);

    /// <param name="answer">What the token endpoint answers to the request of that number.</param>
    /// <param name="options">More about the exchange.</param>
    /// <param name="source">Gives the proof; null for one that gives a good one.</param>
    public static async Task<AnsweredJob> StartAsync(Func<int, HttpResponseMessage> answer, Action<Rfc8693Options>? options = null, IWorkloadIdentitySource? source = null)
    {
        var time = new SkippingTime();
        var wire = new AnsweringWire(answer);
        var audit = new RecordingSink();
        var logs = new LoggedText();
        JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", source ?? IdentitySources.From((request, _) => new(new SubjectToken(Proof(time, request.Audience), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("warehouse", Targets.Rfc8693(new Uri(AnsweringWire.Issuer), o =>
            {
                (o.TokenEndpoint, o.RevocationEndpoint) = (AnsweringWire.TokenEndpoint, AnsweringWire.RevocationEndpoint);
                o.Client.Id = "orders";
                options?.Invoke(o);
            }), "job", "read", "write")
            .Audit(audit).Logging(logs).Time(time).Jitter(() => 0.5).Transport(() => wire).EndOnSignals(false));
        return new AnsweredJob(session, time, wire, audit, logs);
    }

    /// <summary>Asks for a credential, which must fail; nothing of proof or token may be said anywhere, and the error says what to do.</summary>
    public async Task<TokenExchangeException> FailureAsync()
    {
        try
        {
            await Warehouse.GetAsync();
        }
        catch (TokenExchangeException failure)
        {
            AssertNothingSaid(failure);
            Assert.That(failure.Target, Is.EqualTo("warehouse"));
            Assert.That(Audit.Kinds[^1], Is.EqualTo(AuditEventKind.Failed));
            return failure;
        }
        throw new AssertionException("A credential was handed out.");
    }

    /// <summary>All that was said: the exception with all that it holds, the logs, the audit.</summary>
    public string Said(Exception? exception)
    {
        string data = string.Join(' ', exception?.Data.Values.Cast<object?>() ?? []);
        return $"{exception} {data} {_logs.Text} {Audit.Text}";
    }

    public void AssertNothingSaid(Exception? exception = null)
    {
        string said = Said(exception);
        Assert.That(said, Does.Contain("issuer.example"), "something was said");
        Assert.That(Tests.Canary.FindIn(said, Canary), Is.Empty, said);
    }

    public ValueTask DisposeAsync() => Session.DisposeAsync();

    private static string Proof(SkippingTime time, Audience audience) =>
        Jwt($$"""{"iss":"https://idp.example","sub":"job:orders","aud":"{{audience}}","exp":{{time.GetUtcNow().AddMinutes(10).ToUnixTimeSeconds()}}}""");
}
