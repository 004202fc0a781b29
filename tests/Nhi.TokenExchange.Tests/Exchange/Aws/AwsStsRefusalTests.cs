namespace Nhi.TokenExchange.Tests.Exchange.Aws;

/// <summary>What STS refuses, by its codes, and what the error says to repair; and what is not even asked for.</summary>
internal sealed class AwsStsRefusalTests
{
    [Test]
    public async Task A_subject_that_the_trust_policy_does_not_name_is_shown_with_the_command_that_makes_it_so()
    {
        await using AwsJob job = await AwsJob.StartAsync();
        job.Role.Conditions["sub"] = "repo:octo/other:ref:refs/heads/main";

        TokenExchangeException refused = job.Refused();

        string host = job.Emulator.Issuer.OriginalString;   // http on loopback: IAM's own are https, and named without it
        Assert.That((refused.Code, refused.IsTransient, refused.Stage), Is.EqualTo(("NHI4014", false, ExchangeStage.Exchange)));
        Assert.That(refused.Message, Does.Contain("answered 403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity")
            .And.Contain($"subject '{job.Identity.Subject}', audience 'sts.amazonaws.com'").And.Contain("role orders-loader in account 123456789012")
            .And.Contain($"aws iam update-assume-role-policy --role-name orders-loader --policy-document '{{\"Version\":\"2012-10-17\"")
            .And.Contain($"\"{host}:sub\":\"{job.Identity.Subject}\""));
        Assert.That((job.Exchanges, refused.CorrelationId), Is.EqualTo((1, job.Emulator.Ledger.Refusals.Single().RequestId)));
    }

    [Test]
    public async Task An_issuer_that_the_account_does_not_know_and_an_audience_that_its_provider_does_not_list_are_told_apart()
    {
        await using AwsJob job = await AwsJob.StartAsync(options: o => o.SubjectAudience = "elsewhere");
        TokenExchangeException audience = job.Refused();
        await using AwsJob other = await AwsJob.StartAsync();
        other.Emulator.Aws.OpenIdProviders.Clear();
        TokenExchangeException issuer = other.Refused();

        Assert.That((audience.Code, issuer.Code), Is.EqualTo(("NHI4011", "NHI4011")));
        Assert.That(audience.Message, Does.Contain("InvalidIdentityToken: Incorrect token audience").And.Contain("aws iam add-client-id-to-open-id-connect-provider").And.Contain("--client-id 'elsewhere'").And.Contain("SubjectAudience"));
        Assert.That(issuer.Message, Does.Contain("No OpenIDConnect provider found in your account").And.Contain($"aws iam create-open-id-connect-provider --url '{other.Emulator.Issuer}' --client-id-list 'sts.amazonaws.com'"));
        Assert.That((job.Exchanges, other.Exchanges), Is.EqualTo((2, 2)), "a new proof was worth one try");
    }

    [TestCase("ExpiredTokenException", 400, "Token expired: current date/time", "NHI4011", false, "Compare the clocks")]
    [TestCase("InvalidIdentityToken", 400, "The ID Token provided is not a valid JWT.", "NHI4011", false, "IAM OIDC provider of account 123456789012")]
    [TestCase("IDPRejectedClaim", 403, "The identity provider reported that authentication failed.", "NHI4001", false, "The proof's issuer itself")]
    [TestCase("MalformedPolicyDocument", 400, "Syntax errors in policy.", "NHI4001", false, "Check the actions (Scopes) and the ARNs (Resources)")]
    [TestCase("PackedPolicyTooLarge", 400, "Packed size of session tags consumes 140% of allotted space.", "NHI4001", false, "name it in PolicyArns")]
    [TestCase("RegionDisabledException", 403, "STS is not activated in this region.", "NHI4001", false, "switched off in eu-central-1")]
    [TestCase("ValidationError", 400, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", "NHI4001", false, "aws iam update-role --role-name orders-loader --max-session-duration")]
    [TestCase("ValidationError", 400, "Request ARN is invalid", "NHI4001", false, "Check RoleArn")]
    [TestCase("Unheard", 400, "something", "NHI4001", false, "something")]
    [TestCase("Throttling", 400, "Rate exceeded", "NHI4003", true, "ask less often")]
    [TestCase("ServiceUnavailable", 503, "It is down.", "NHI4002", true, "It is down.")]
    [TestCase("InternalFailure", 500, "It failed.", "NHI4002", true, "It failed.")]
    [TestCase("IDPCommunicationError", 400, "An error occurred", "NHI4002", true, "reachable from the internet, at http://")]
    [TestCase("InvalidIdentityToken", 400, "Couldn't retrieve verification key from your identity provider", "NHI4002", true, "reachable from the internet")]
    public async Task A_refusal_says_which_kind_it_was_and_what_to_do(string code, int status, string message, string expected, bool isTransient, string hint)
    {
        await using AwsJob job = await AwsJob.StartAsync(new SkippingTime());
        job.Emulator.Faults.Always(EmulatorEndpoint.AwsSts, Fault.Aws(code, status, message));

        TokenExchangeException refused = job.Refused();

        Assert.That((refused.Code, refused.IsTransient, refused.Target), Is.EqualTo((expected, isTransient, "archive")));
        Assert.That(refused.Message, Does.Contain($"answered {status} {code}: {message[..9]}").And.Contain(hint));
        Assert.That(job.Exchanges, isTransient ? Is.InRange(2, 5) : Is.EqualTo(expected == "NHI4011" ? 2 : 1));
        Assert.That(job.Emulator.Ledger.Issued, Is.Empty);
    }

    [Test]
    public async Task An_issuer_whose_keys_STS_did_not_get_in_time_costs_a_moment_and_no_failure()
    {
        await using AwsJob job = await AwsJob.StartAsync(new SkippingTime());
        job.Emulator.Faults.Next(EmulatorEndpoint.AwsSts, Fault.Aws("IDPCommunicationError"));
        job.Emulator.Faults.Next(EmulatorEndpoint.AwsSts, Fault.Aws("InvalidIdentityToken", message: "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements"));

        await job.Archive.GetAsync();

        Assert.That((job.Exchanges, job.Emulator.Ledger.Issued.Count), Is.EqualTo((3, 1)));
    }

    [Test]
    public async Task A_proof_that_STS_echoes_is_taken_out_of_the_error()
    {
        await using AwsJob job = await AwsJob.StartAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.AwsSts, Fault.Echo("WebIdentityToken"));
        TokenExchangeException json = job.Refused();

        Assert.That(json.Message, Does.Contain("The answer is none of AWS STS"));
        Assert.That(json.ToString(), Does.Not.Contain(job.Emulator.Canaries.Proof));

        await using var sts = new ScriptedIssuer(request => ScriptedAnswer.Text(
            $"<ErrorResponse><Error><Code>{request.Field("WebIdentityToken")}</Code><Message>refused {request.Field("WebIdentityToken")} here</Message></Error><RequestId>{request.Field("WebIdentityToken")}</RequestId></ErrorResponse>", "text/xml", 400));
        using HttpMessageInvoker channel = WireSamples.Backchannel();
        TokenExchangeException echoed = Assert.ThrowsAsync<TokenExchangeException>(() => AwsStsAnswerTests.At(sts.Uri).ExchangeAsync(WireSamples.Request(channel), default).AsTask())!;
        Assert.That(echoed.Message, Does.Contain("refused [redacted] here"));
        WireSamples.AssertNoCanary(echoed);
    }

    [Test]
    public void A_command_is_shown_only_for_values_that_can_not_say_another_one()
    {
        string proof = WireSamples.Jwt("""{"iss":"https://issuer.test","sub":"it's; rm -rf ~","aud":"sts.amazonaws.com"}""");
        using HttpMessageInvoker channel = WireSamples.Backchannel(transport: () => new Http.Wire(_ => new HttpResponseMessage(System.Net.HttpStatusCode.Forbidden)
        {
            Content = new StringContent("<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"),
        }));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => AwsStsAnswerTests.At(new Uri("https://sts.test")).ExchangeAsync(WireSamples.RequestWith(proof, channel), default).AsTask())!;

        Assert.That(refused.Message, Does.Contain("subject 'it's; rm -rf ~'").And.Not.Contain("aws iam"));
    }

    [TestCase("arn:aws:iam::123456789012:user/orders", "names a user, not a role")]
    [TestCase("arn:aws:sts::123456789012:assumed-role/orders/x", "names a session of a role")]
    [TestCase("arn:aws:iam::12345:role/orders", "no account number of 12 digits")]
    [TestCase("arn:aws:iam:eu-central-1:123456789012:role/orders", "has no region")]
    [TestCase("arn:aws-cn:iam::123456789012:role/orders", "is of the partition 'aws-cn', and the region is of 'aws'")]
    [TestCase("arn:aws:iam::123456789012:role/", "has no name after role/")]
    [TestCase("orders-loader", "is no ARN")]
    [TestCase("arn:aws:iam::123456789012:role/a b", "has a space")]
    public void B20_A_role_that_is_none_is_refused_with_the_part_that_is_wrong(string role, string said) =>
        Assert.That(() => Targets.AwsSts(role, "eu-central-1"), Throws.ArgumentException.With.Message.Contains(said).And.Message.Contains("arn:aws:iam::123456789012:role/orders-loader"));

    [TestCase("eu-central-1", false, "https://sts.eu-central-1.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("us-east-1", true, "https://sts-fips.us-east-1.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("us-gov-west-1", true, "https://sts.us-gov-west-1.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("cn-north-1", false, "https://sts.cn-north-1.amazonaws.com.cn/", "sts.amazonaws.com.cn")]
    [TestCase("us-isob-east-1", false, "https://sts.us-isob-east-1.sc2s.sgov.gov/", "sts.amazonaws.com")]
    [TestCase("eusc-de-east-1", false, "https://sts.eusc-de-east-1.amazonaws.eu/", "sts.amazonaws.com")]
    public void B21_A_region_says_where_STS_is(string region, bool fips, string endpoint, string audience)
    {
        string partition = region[..2] == "cn" ? "aws-cn" : region.StartsWith("us-gov", StringComparison.Ordinal) ? "aws-us-gov" : region.StartsWith("us-isob", StringComparison.Ordinal) ? "aws-iso-b" : region[..4] == "eusc" ? "aws-eusc" : "aws";
        TokenExchanger<AwsSessionCredentials> sts = Targets.AwsSts($"arn:{partition}:iam::123456789012:role/orders", region, o => o.UseFips = fips);

        Assert.That((sts.Issuer.AbsoluteUri, sts.SubjectAudience.ToString(), sts.UsableMargin), Is.EqualTo((endpoint, audience, TimeSpan.FromSeconds(10))));
    }

    [TestCase("")]
    [TestCase("aws-global")]
    [TestCase("global")]
    [TestCase("eu-central")]
    [TestCase("EU-Central-1")]
    [TestCase("mars-north-1")]
    [TestCase("eu-central-1.evil.example/")]
    public void P37_B21_A_region_that_is_none_is_refused(string region) =>
        Assert.That(() => Targets.AwsSts(AwsStsAnswerTests.Role, region), Throws.ArgumentException.With.Message.Contains("global endpoint is not used"));

    [Test]
    public void Options_that_are_wrong_are_refused_by_name()
    {
        void Refuses(Action<AwsStsOptions> configure, string said) => Assert.That(() => Targets.AwsSts(AwsStsAnswerTests.Role, "eu-central-1", configure), Throws.ArgumentException.With.Message.Contains(said));

        Refuses(o => o.Endpoint = new Uri("http://sts.example"), "Endpoint");
        Refuses(o => o.Endpoint = new Uri("https://sts.example/x"), "Endpoint has a path");
        Refuses(o => (o.Endpoint, o.UseFips) = (new Uri("https://sts.example"), true), "UseFips is set beside Endpoint");
        Refuses(o => o.SessionName = "a b", "SessionName");
        Refuses(o => o.UsableMargin = TimeSpan.FromHours(1), "UsableMargin");
        Refuses(o => o.PolicyArns.Add("arn:aws:iam::123456789012:role/x"), "PolicyArns[0] names no managed policy");
        Refuses(o => Enumerable.Range(0, 11).ToList().ForEach(n => o.PolicyArns.Add($"arn:aws:iam::aws:policy/P{n}")), "PolicyArns has 11 entries");
        Refuses(o => o.Resources.Add("orders"), "Resources[0] is no ARN");
        Refuses(o => Enumerable.Range(0, 100).ToList().ForEach(n => o.Resources.Add($"arn:aws:s3:::orders-{n}/*")), "Resources would be a session policy of");
        Refuses(o => o.SessionPolicy = "{}", "SessionPolicy is no policy");
        Refuses(o => o.SessionPolicy = "{\"Statement\":[],\"Statement\":[]}", "SessionPolicy is not well-formed JSON, has a member twice");
        Refuses(o => o.SessionPolicy = $"{{\"Statement\":\"{new string('x', 2048)}\"}}", "SessionPolicy would be a session policy of");
        Refuses(o =>
        {
            o.SessionPolicy = "{\"Statement\":[]}";
            o.Resources.Add("*");
        }, "SessionPolicy is set beside Resources");
        Assert.That(() => Targets.AwsSts("arn:aws-cn:iam::123456789012:role/orders", "cn-north-1", o => o.UseFips = true), Throws.ArgumentException.With.Message.Contains("has no FIPS endpoint"));
    }

    [TestCase("read", "is no action of IAM")]
    [TestCase("s3:Get Object", "is no action of IAM")]
    [TestCase("https://graph.microsoft.com/.default", "is no action of IAM")]
    [TestCase("s3:", "is no action of IAM")]
    [TestCase("*", null)]
    [TestCase("s3:Get*", null)]
    [TestCase("elasticmapreduce:RunJobFlow", null)]
    public void A_scope_is_an_action_of_IAM(string action, string? said)
    {
        string? flaw = action.Contains(' ', StringComparison.Ordinal) ? AwsSessionPolicy.FaultOfAction(action) : Targets.AwsSts(AwsStsAnswerTests.Role, "eu-central-1").FlawOf(ScopeSet.Of(action));

        Assert.That(flaw, said is null ? Is.Null : Does.Contain(said));
    }

    [Test]
    public void More_actions_than_a_session_policy_holds_are_refused() =>
        Assert.That(Targets.AwsSts(AwsStsAnswerTests.Role, "eu-central-1").FlawOf(ScopeSet.Of([.. Enumerable.Range(0, 200).Select(n => $"s3:GetObject{n}")])), Does.Contain("STS takes 2048"));
}
