namespace Nhi.TokenExchange.Tests;

/// <summary>What a source says about its proof beside the token: for whom it was asked, and that its platform gives such a token to workloads alone.</summary>
internal sealed class PlatformProofTests
{
    private static readonly Audience Asked = new("api://AzureADTokenExchange");

    private static AttestedProof Check(string compact, Audience? askedFor, bool isPlatformAttested = false, ActsFor actsFor = ActsFor.Proven) =>
        ProofCheck.Check(new SubjectToken(compact, SubjectTokenType.AccessToken, Proofs.Now.AddHours(1)) { AskedFor = askedFor, IsPlatformAttested = isPlatformAttested }, Asked, actsFor, Proofs.Now);

    [Test]
    public void The_audience_that_the_platform_was_asked_for_is_compared_instead_of_its_other_name()
    {
        string token = Proofs.Of("https://idp.example", "o1");   // its aud is another text

        Assert.That(Check(token, Asked, isPlatformAttested: true).Subject, Is.EqualTo("o1"));
        Assert.That(() => Check(token, null, isPlatformAttested: true), Refused("NHI2005"));
        Assert.That(() => Check(token, new Audience("api://azureADTokenExchange"), isPlatformAttested: true), Refused("NHI2005").With.Message.Contains("first differ at character 7"));
        Assert.That(() => Check("opaque", new Audience("api://else"), isPlatformAttested: true), Refused("NHI2005"));
    }

    [Test]
    public void What_its_platform_gives_to_workloads_alone_needs_no_word_of_the_configuration()
    {
        Assert.That(Check(Proofs.Of("https://idp.example", "o1"), Asked, isPlatformAttested: true).WorkloadIsAsserted, Is.False);
        Assert.That(Check("opaque", Asked, isPlatformAttested: true).WorkloadIsAsserted, Is.False);
        Assert.That(() => Check("opaque", Asked), Refused("NHI2007"));
    }

    [Test]
    public void A_persons_marks_count_whatever_the_platform_says() =>
        Assert.That(() => Check(Proofs.Of("https://idp.example", "o1", ("upn", "ann@acme.example")), Asked, isPlatformAttested: true), Refused("NHI2006"));

    [Test]
    public void The_development_switch_lets_a_person_through_and_says_so()
    {
        AttestedProof person = Check(Proofs.Of("https://idp.example", "o1", ("upn", "ann@acme.example")), Asked, actsFor: ActsFor.PersonInDevelopment);
        AttestedProof workload = Check(Proofs.Of("https://sts.windows.net/7a2f/", "o1", ("appid", "c"), ("oid", "o1")), Asked, actsFor: ActsFor.PersonInDevelopment);

        Assert.That((person.IsAPersons, person.WorkloadIsAsserted), Is.EqualTo((true, false)));
        Assert.That(workload.IsAPersons, Is.False);
        // It lets persons through, not what nobody knows.
        Assert.That(() => Check(Proofs.Of("https://idp.example", "batch-7"), Asked, actsFor: ActsFor.PersonInDevelopment), Refused("NHI2007"));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_source_that_may_be_a_persons_is_taken_in_development_alone_whatever_its_token_shows(bool isOpaque)
    {
        string token = isOpaque ? "opaque" : Proofs.Of("https://sts.windows.net/7a2f/", "o1", ("appid", "c"), ("oid", "o1"));
        AttestedProof With(ActsFor actsFor) =>
            ProofCheck.Check(new SubjectToken(token, SubjectTokenType.AccessToken, Proofs.Now.AddHours(1)) { AskedFor = Asked, IsAPersons = true }, Asked, actsFor, Proofs.Now);

        Assert.That(() => With(ActsFor.Proven), Refused("NHI2006"));
        Assert.That(() => With(ActsFor.Workload), Refused("NHI2006"));
        Assert.That((With(ActsFor.PersonInDevelopment).IsAPersons, With(ActsFor.PersonInDevelopment).WorkloadIsAsserted), Is.EqualTo((true, false)));
    }

    [TestCase(null, "is not said")]
    [TestCase("Staging", "is 'Staging'")]
    [TestCase("production", "is 'production'")]
    public void The_development_switch_starts_in_development_only(string? environment, string shown) =>
        Assert.That(
            async () => await JobSession.StartAsync(b => b.Job(new JobContext { Environment = environment })
                .Identity("me", TestProofs.Source(TimeProvider.System), ActsFor.PersonInDevelopment).Target("warehouse", new TestExchanger(TimeProvider.System), "me")),
            Throws.TypeOf<TokenExchangeException>().With.Message.Contains("Identities:me: acts for a person").And.Message.Contains(shown));

    [Test]
    public async Task Policy_and_audit_hear_of_a_person()
    {
        var seen = new List<AccessRequest>();
        await using TestJob job = await TestJob.StartAsync(more: b => b.Job(new JobContext { Environment = "development" })
            .Identity("me", IdentitySources.From((request, _) => new(new SubjectToken(TestProofs.Jwt(TimeProvider.System, request.Audience.ToString(), p => p["upn"] = "ann@acme.example"), SubjectTokenType.Jwt))), ActsFor.PersonInDevelopment)
            .Target("lake", new TestExchanger(TimeProvider.System), "me").Time(TimeProvider.System));
        job.Policy.Decide = request =>
        {
            seen.Add(request);
            return AccessDecision.Permit("all");
        };

        await job.Session.Provider<BearerToken>("lake").GetAsync();

        Assert.That(seen.Single().IsAPersons, Is.True);
        Assert.That(job.Audit.Events.Select(e => e.IsAPersons), Is.All.True);
    }

    private static NUnit.Framework.Constraints.EqualStringConstraint Refused(string code) => Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo(code);
}
