namespace Nhi.TokenExchange.Tests;

internal sealed class TrustMistakeTests
{
    [Test]
    public void There_are_at_least_twenty_of_them() => Assert.That(TrustMistake.All.Select(mistake => mistake.Name).Distinct().Count(), Is.GreaterThanOrEqualTo(20));

    [TestCaseSource(typeof(TrustMistake), nameof(TrustMistake.All))]
    public void Each_is_told_with_field_presented_expected_and_what_to_do(TrustMistake mistake)
    {
        var wire = new Wire(Wire.Json(EntraCalls.Refusal(mistake.Code, description: $"About '{mistake.Subject}'."), 401));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => Targets.Entra(EntraCalls.Tenant, EntraCalls.Client)
            .ExchangeAsync(EntraCalls.Request(wire, proof: mistake.Proof(), scope: mistake.Scope), default).AsTask())!;

        Assert.That(refused.Message, Does.Contain($"AADSTS{mistake.Code}").And.Contain($"{mistake.Field}: presented "));
        Assert.That(refused.Message, Does.Contain(mistake.Presented));
        Assert.That(refused.Message, Does.Contain("expected ").And.Contain(mistake.Expected));
        Assert.That((refused.Code, refused.IsTransient, refused.IssuerError), Is.EqualTo((mistake.Error, false, "invalid_client")));
        Assert.That(refused.Hint, Is.Not.Null.And.Not.Empty);
        Assert.That(refused.CorrelationId, Is.EqualTo("22222222-0000-4000-8000-000000000002, trace 11111111-0000-4000-8000-000000000001"));
        Proofs.AssertNothingShown(refused);
    }

    [TestCase("https://token.actions.githubusercontent.com/", "they differ in the slash at the end only; first difference at position 43: expected '/', presented the end")]
    [TestCase("https://Token.actions.githubusercontent.com", "they differ in upper and lower case only; first difference at position 8: expected 'Token.action…', presented 'token.action…'")]
    [TestCase("https://gitlab.example", "first difference at position 8: expected 'gitlab.examp…', presented 'token.action…'")]
    [TestCase("http://token.actions.githubusercontent.com", "first difference at position 4: expected ':")]
    [TestCase("https://token.actions.githubusercontent.com:8443", "first difference at position 43: expected ':8443', presented the end")]
    public async Task B69_What_is_said_to_be_registered_is_compared_before_anything_is_sent(string registered, string difference)
    {
        var wire = new Wire(Wire.Json(EntraCalls.Good()));

        TokenExchangeException refused = await EntraCalls.RefusedAsync(wire, options => options.ExpectedIssuer = registered);

        Assert.That(refused.Message, Does.Contain("Issuer: presented 'https://token.actions.githubusercontent.com'; expected").And.Contain(difference).And.Contain("Nothing was sent"));
        Assert.That((refused.Code, refused.IsTransient, wire.Requests.Count), Is.EqualTo((ErrorCodes.TrustMismatch, false, 0)));
    }

    [Test]
    public async Task P42_A_subject_with_one_other_letter_is_told_with_both_and_the_position_and_the_registered_one_goes_through()
    {
        var wire = new Wire(Wire.Json(EntraCalls.Good()));

        TokenExchangeException refused = await EntraCalls.RefusedAsync(wire, options => options.ExpectedSubject = TrustMistake.Branch, Proofs.Of(("sub", "repo:acme/Orders:ref:refs/heads/main")));
        await EntraCalls.ExchangeAsync(wire, options => (options.ExpectedSubject, options.ExpectedIssuer) = (TrustMistake.Branch, TrustMistake.GitHub));

        Assert.That(refused.Message, Does.Contain("Subject: presented 'repo:acme/Orders:ref:refs/heads/main'; expected 'repo:acme/orders:ref:refs/heads/main' (they differ in upper and lower case only; first difference at position 10"));
        Assert.That(wire.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Where_the_proof_is_as_the_options_say_the_registration_is_named_as_the_other_one()
    {
        TokenExchangeException refused = await EntraCalls.RefusedAsync(new Wire(Wire.Json(EntraCalls.Refusal(700213), 401)), options => options.ExpectedSubject = TrustMistake.Branch);

        Assert.That(refused.Message, Does.Contain("as ExpectedSubject says; so what Entra ID has registered on application '6f1c1f3e-0000-4000-8000-00000000beef' is another"));
    }

    [Test]
    public async Task An_opaque_proof_is_told_as_such()
    {
        TokenExchangeException refused = await EntraCalls.RefusedAsync(new Wire(Wire.Json(EntraCalls.Refusal(700211), 401)), proof: "not-a-jwt-proofcanary");

        Assert.That(refused.Message, Does.Contain("Issuer: presented nothing that can be read"));
    }

    [TestCase(70021)]
    [TestCase(700211)]
    [TestCase(700212)]
    [TestCase(700213)]
    [TestCase(700016)]
    public async Task P44_While_the_budget_lasts_a_trust_may_be_unknown_yet_and_after_it_that_is_final(int code)
    {
        var time = new ManualTimeProvider();
        var wire = new Wire(Wire.Json(EntraCalls.Refusal(code), 401));
        TokenExchanger<BearerToken> exchanger = Targets.Entra(EntraCalls.Tenant, EntraCalls.Client, options => options.PropagationBudget = TimeSpan.FromMinutes(2));
        var refused = new List<TokenExchangeException>();

        foreach (int seconds in new[] { 0, 119, 1 })
        {
            time.Advance(TimeSpan.FromSeconds(seconds));
            refused.Add(Assert.ThrowsAsync<TokenExchangeException>(() => exchanger.ExchangeAsync(EntraCalls.Request(wire, time), default).AsTask())!);
        }

        Assert.That(refused.Select(error => (error.Code, error.IsTransient)), Is.EqualTo(new[] { (ErrorCodes.TrustNotYetKnown, true), (ErrorCodes.TrustNotYetKnown, true), (ErrorCodes.TrustMismatch, false) }));
        Assert.That(refused[0].RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(10)));
    }

    [TestCase(7002138)]
    [TestCase(700229)]
    [TestCase(90002)]
    public async Task What_time_does_not_cure_is_final_within_the_budget_too(int code)
    {
        TokenExchangeException refused = await EntraCalls.RefusedAsync(new Wire(Wire.Json(EntraCalls.Refusal(code), 401)), options => options.PropagationBudget = TimeSpan.FromMinutes(5));

        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.TrustMismatch, false)));
    }
}
