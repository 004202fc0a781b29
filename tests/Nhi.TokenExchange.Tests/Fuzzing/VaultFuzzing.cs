using System.Net;
using System.Text.Json;
using Nhi.TokenExchange.Tests.Faults;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>Answers of Vault and OpenBao. First line: <c>s</c> a dynamic secret, <c>u</c> a wrapped one, <c>w</c> a wrapped login, <c>e</c> the end of a secret, <c>f</c> that of a login, else a login; then <c>r</c> if it is held until its renewal is due.
/// After it the answers to that; what is needed before and after is answered as Vault does.</summary>
internal static class VaultFuzzing
{
    private const string Host = "vault.example:8200";
    private const string Secret = "database/creds/readonly";

    private static readonly Uri Server = new($"https://{Host}");

    // Longer than any secret's here: what is renewed is the secret alone.
    private static readonly TimeSpan LongLife = TimeSpan.FromHours(12);

    public static async Task<string> RunAsync(FuzzInput input)
    {
        char kind = input.ChoiceAt(0);
        string proof = FuzzInput.Proof(new Audience(Server.GetLeftPart(UriPartial.Authority)));
        var wire = new FuzzedWire(input.Rest, proof, path => Own(kind, path));
        TimeSpan? wrap = kind is 'u' or 'w' ? TimeSpan.FromMinutes(1) : null;
        await using MutationJob job = await MutationJob.StartAsync(wire, b =>
        {
            b.Identity("job", MutationJob.Source(proof), ActsFor.Workload)
                .Target("vault", Targets.VaultLogin(Server, "orders", o => o.WrapLifetime = kind == 'w' ? wrap : null), t =>
                {
                    t.Identity = "job";
                    t.MaxLifetime = kind is 's' or 'u' or 'e' ? LongLife : MutationJob.LongestHandOut;
                });
            if (kind is 's' or 'u' or 'e')
                b.Target("database", Targets.VaultSecret(Server, Secret, o => o.WrapLifetime = kind == 'u' ? wrap : null), t => t.Through = "vault");
        });
        return kind is 's' or 'u' or 'e' ? await RunAsync<VaultSecret>(job, "database", input, wire) : await RunAsync<BearerToken>(job, "vault", input, wire);
    }

    private static async Task<string> RunAsync<T>(MutationJob job, string target, FuzzInput input, FuzzedWire wire)
        where T : Credential
    {
        bool isHeld = input.ChoiceAt(1) == 'r';
        T? credential = await job.GetAsync<T>(target);
        if (credential is not null)
            job.AssertLives(credential);
        if (credential is not null && isHeld)
            credential = await job.RefreshedAsync(target, credential);
        string said = await job.CompleteAsync(FuzzInput.Canary);

        wire.AssertBounded(isHeld ? 3 : 1, Host);
        if (input.ChoiceAt(0) is not ('e' or 'f'))
            job.AssertEnded();
        if (credential is null)
            return said;
        job.AssertLives(credential);
        // It is given back, by what Vault knows it by.
        if (credential is BearerToken token)
            Assert.That(wire.Requests.Where(request => request.Place.AbsolutePath == "/v1/auth/token/revoke-self").Select(request => request.Token), Does.Contain(token.Reveal()));
        else if (credential.Lease.Handle is { } lease)
            Assert.That(wire.Requests.Where(request => request.Place.AbsolutePath == "/v1/sys/leases/revoke").Select(request => JsonDocument.Parse(request.Body).RootElement.GetProperty("lease_id").GetString()), Does.Contain(lease));
        return said;
    }

    private static HttpResponseMessage? Own(char kind, string path) => path switch
    {
        "/v1/auth/jwt/login" or "/v1/auth/token/renew-self" when kind is 's' or 'u' or 'e' or 'f' => AnsweringWire.Json(
            $$$"""{"request_id":"r-1","auth":{"client_token":"hvs.{{{FuzzInput.Canary}}}","accessor":"a-1","lease_duration":{{{(kind == 'f' ? 3600 : (long)LongLife.TotalSeconds)}}},"renewable":true,"num_uses":0}}"""),
        $"/v1/{Secret}" when kind == 'e' => AnsweringWire.Json($$$"""{"request_id":"r-2","lease_id":"{{{Secret}}}/l-1","lease_duration":3600,"renewable":true,"data":{"username":"loader","password":"{{{FuzzInput.Canary}}}"}}"""),
        "/v1/auth/token/revoke-self" when kind != 'f' => new HttpResponseMessage(HttpStatusCode.NoContent),
        "/v1/sys/leases/revoke" when kind != 'e' => new HttpResponseMessage(HttpStatusCode.NoContent),
        _ => null,
    };
}
