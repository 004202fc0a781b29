using System.Security.Cryptography;

namespace Nhi.TokenExchange.Tests;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class FederatedAssertionSourceTests
{
    private readonly ManualTimeProvider _time = new();

    private async Task<SubjectToken> GetAsync(IWorkloadIdentitySource source) => await source.GetSubjectTokenAsync(Proofs.Request(_time), CancellationToken.None);

    [Test]
    public async Task The_library_builds_it_and_it_passes_as_asserted_never_as_proven()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        IWorkloadIdentitySource source = IdentitySources.FederatedAssertion(AssertionSigner.From(key, "k1"), "client-1", "client-1");
        SubjectToken first = await GetAsync(source);
        SubjectToken second = await GetAsync(source);
        Assert.That(second.Fingerprint, Is.Not.EqualTo(first.Fingerprint), "signed anew for each exchange");
        AttestedProof proof = ProofCheck.Check(first, new Audience(Proofs.Audience), ActsFor.Workload, _time.GetUtcNow());
        Assert.That((proof.WorkloadIsAsserted, proof.Issuer, proof.ExpiresAt), Is.EqualTo((true, "client-1", Proofs.Now.AddSeconds(75))));
        Assert.That(() => ProofCheck.Check(first, new Audience(Proofs.Audience), ActsFor.Proven, _time.GetUtcNow()), Throws.TypeOf<IdentityUnavailableException>());
    }

    [Test]
    public async Task A_function_is_told_audience_now_and_life()
    {
        AssertionRequest? asked = null;
        _ = await GetAsync(IdentitySources.FederatedAssertion((request, _) =>
        {
            asked = request;
            return new(Proofs.With());
        }));
        Assert.That((asked!.Audience.ToString(), asked.Now, asked.Life), Is.EqualTo((Proofs.Audience, Proofs.Now, TimeSpan.FromSeconds(75))));
    }

    [TestCase(null)]
    [TestCase("")]
    public void Nothing_is_an_error_S17(string? given) =>
        Assert.That(async () => await GetAsync(IdentitySources.FederatedAssertion((_, _) => new(given!))), Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo(ErrorCodes.SourceFailed));

    [TestCase("""{"alg":"none"}""")]
    [TestCase("""{"alg":"HS256"}""")]
    public void What_is_not_signed_with_a_key_of_its_own_is_refused(string header)
    {
        string assertion = Proofs.Compact(Proofs.GitHubClaims.ToJsonString(), header);
        var refused = Assert.ThrowsAsync<IdentityUnavailableException>(async () => await GetAsync(IdentitySources.FederatedAssertion((_, _) => new(assertion))))!;
        Assert.That(refused.Code, Is.EqualTo(ErrorCodes.ProofMalformed));
        Assert.That(refused.ToString(), Does.Not.Contain(assertion[..12]));
    }

    [Test]
    public void White_space_or_too_much_of_it_is_refused()
    {
        foreach (string assertion in (string[])[Proofs.With() + "\n", Proofs.With(("pad", new string('x', 70_000))), "a.b"])
            Assert.That(async () => await GetAsync(IdentitySources.FederatedAssertion((_, _) => new(assertion))), Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo(ErrorCodes.ProofMalformed));
    }

    [Test]
    public void What_comes_after_the_cancellation_is_dropped_S17()
    {
        using var given = new CancellationTokenSource();
        IWorkloadIdentitySource source = IdentitySources.FederatedAssertion(async (_, _) =>
        {
            await given.CancelAsync();
            return Proofs.With();
        });
        Assert.That(async () => await source.GetSubjectTokenAsync(Proofs.Request(_time), given.Token), Throws.InstanceOf<OperationCanceledException>());
    }
}
