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
    [TestCase("arn:aws:iam::123456789012:group/orders", "names no role: its last part has to begin with role/")]
    [TestCase("arn:aws:iam::123456789012:assumed-role/orders/x", "names no role: its last part has to begin with role/")]
    [TestCase("arn:aws:sts::123456789012:assumed-role/orders/x", "names a session of a role (assumed-role), not the role")]
    [TestCase("arn:aws:sts::123456789012:federated-user/x", "is not of IAM, which has no region: after the partition comes iam::")]
    [TestCase("arn:aws:iam:eu-central-1:123456789012:role/orders", "is not of IAM, which has no region: after the partition comes iam::")]
    [TestCase("arn:aws:iam::12345678901:role/orders", "has no account number of 12 digits in its fifth part")]
    [TestCase("arn:aws:iam::1234567890123:role/orders", "has no account number of 12 digits in its fifth part")]
    [TestCase("arn:aws:iam::12345678901x:role/orders", "has no account number of 12 digits in its fifth part")]
    [TestCase("arn:aws-cn:iam::123456789012:role/orders", "is of the partition 'aws-cn', and the region is of 'aws'")]
    [TestCase("arn:aws:iam::123456789012:role/", "has no name after role/")]
    [TestCase("orders-loader", "is no ARN, which has six parts with colons between them and begins with arn:")]
    [TestCase("arn:aws:iam::123456789012", "is no ARN, which has six parts with colons between them and begins with arn:")]
    [TestCase("arn:aws:iam::123456789012:", "is no ARN, which has six parts with colons between them and begins with arn:")]
    [TestCase("arm:aws:iam::123456789012:role/orders", "is no ARN, which has six parts with colons between them and begins with arn:")]
    [TestCase("arn:aws:iam::123456789012:role/a b", "has a space, a quote, a backslash or a character that is not of visible ASCII")]
    public void B20_A_role_that_is_none_is_refused_with_the_part_that_is_wrong(string role, string fault) =>
        Assert.That(() => Targets.AwsSts(role, "eu-central-1"), Throws.ArgumentException.With.Message.EqualTo($"The role {fault}. Write it as IAM shows it: arn:aws:iam::123456789012:role/orders-loader. (Parameter 'role')"));

    [Test]
    public void B20_A_role_may_be_as_long_as_an_ARN_and_no_longer()
    {
        string longest = "arn:aws:iam::123456789012:role/" + new string('x', 2048 - 31);

        Assert.That(() => Targets.AwsSts(longest, "eu-central-1"), Throws.Nothing);
        Assert.That(() => Targets.AwsSts(longest + "x", "eu-central-1"), Throws.ArgumentException.With.Message.StartsWith("The role has 2049 characters; an ARN has at most 2048. Write it as"));
    }

    [TestCase("eu-central-1", "aws", false, "https://sts.eu-central-1.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("us-west-2", "aws", false, "https://sts.us-west-2.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("ap-southeast-1", "aws", false, "https://sts.ap-southeast-1.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("sa-east-1", "aws", false, "https://sts.sa-east-1.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("ca-central-1", "aws", false, "https://sts.ca-central-1.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("me-south-1", "aws", false, "https://sts.me-south-1.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("af-south-1", "aws", false, "https://sts.af-south-1.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("il-central-1", "aws", false, "https://sts.il-central-1.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("mx-central-1", "aws", false, "https://sts.mx-central-1.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("us-iso-east-1", "aws-iso", false, "https://sts.us-iso-east-1.c2s.ic.gov/", "sts.amazonaws.com")]
    [TestCase("us-isob-east-1", "aws-iso-b", false, "https://sts.us-isob-east-1.sc2s.sgov.gov/", "sts.amazonaws.com")]
    [TestCase("eu-isoe-west-1", "aws-iso-e", false, "https://sts.eu-isoe-west-1.cloud.adc-e.uk/", "sts.amazonaws.com")]
    [TestCase("us-isof-south-1", "aws-iso-f", false, "https://sts.us-isof-south-1.csp.hci.ic.gov/", "sts.amazonaws.com")]
    [TestCase("eusc-de-east-1", "aws-eusc", false, "https://sts.eusc-de-east-1.amazonaws.eu/", "sts.amazonaws.com")]
    [TestCase("us-gov-west-1", "aws-us-gov", false, "https://sts.us-gov-west-1.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("us-gov-west-1", "aws-us-gov", true, "https://sts.us-gov-west-1.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("us-east-1", "aws", true, "https://sts-fips.us-east-1.amazonaws.com/", "sts.amazonaws.com")]
    [TestCase("cn-north-1", "aws-cn", false, "https://sts.cn-north-1.amazonaws.com.cn/", "sts.amazonaws.com.cn")]
    public void B21_A_region_says_where_STS_is(string region, string partition, bool fips, string endpoint, string audience)
    {
        TokenExchanger<AwsSessionCredentials> sts = Targets.AwsSts($"arn:{partition}:iam::123456789012:role/orders", region, o => o.UseFips = fips);

        Assert.That((sts.Issuer.AbsoluteUri, sts.SubjectAudience.ToString(), sts.UsableMargin), Is.EqualTo((endpoint, audience, TimeSpan.FromSeconds(10))));
    }

    [TestCase("")]
    [TestCase("aws-global")]
    [TestCase("global")]
    [TestCase("eu-central")]
    [TestCase("EU-Central-1")]
    [TestCase("eu-Central-1")]
    [TestCase("eu-c3ntral-1")]
    [TestCase("eu--1")]
    [TestCase("eu-central-")]
    [TestCase("eu-central-1a")]
    [TestCase("eu-central-123")]
    [TestCase("mars-north-1")]
    [TestCase("eu-central-1.evil.example/")]
    public void P37_B21_A_region_that_is_none_is_refused(string region) =>
        Assert.That(() => Targets.AwsSts(AwsStsAnswerTests.Role, region), Throws.ArgumentException.With.Message.EqualTo("The region is none of AWS. Give its name, such as eu-central-1; the global endpoint is not used. (Parameter 'region')"));

    [Test]
    public void Options_that_are_wrong_are_refused_by_name()
    {
        const string NoPolicy = "names no managed policy: after the partition comes iam::, the account and policy/. Write it as IAM shows it: arn:aws:iam::123456789012:policy/orders-read, or arn:aws:iam::aws:policy/….";
        const string Misnamed = "SessionName is no name of a session: 2 to 64 letters, digits and _+=,.@-.";

        Refuses(o => o.Endpoint = new Uri("http://sts.example"), "Endpoint is not https. Give an absolute https URI without user info and fragment; http is for loopback only.");
        Refuses(o => o.Endpoint = new Uri("https://sts.example/x"), "Endpoint has a path. Give the address alone, such as https://sts.eu-central-1.amazonaws.com.");
        Refuses(o => (o.Endpoint, o.UseFips) = (new Uri("https://sts.example"), true), "UseFips is set beside Endpoint. Set one of them.");
        Refuses(o => o.SessionName = "a b", Misnamed);
        Refuses(o => o.SessionName = "a", Misnamed);
        Refuses(o => o.SessionName = new string('a', 65), Misnamed);
        Refuses(o => o.UsableMargin = TimeSpan.FromHours(1), "UsableMargin is 01:00:00; give 00:00:00 to 00:10:00.");
        Refuses(o => o.PolicyArns.Add("arn:aws:iam::123456789012:role/x"), $"PolicyArns[0] {NoPolicy}");
        Refuses(o => o.PolicyArns.Add("arn:aws:s3::123456789012:policy/x"), $"PolicyArns[0] {NoPolicy}");
        Refuses(o => o.PolicyArns.Add("arn:aws:iam:eu-central-1:aws:policy/x"), $"PolicyArns[0] {NoPolicy}");
        Refuses(o => o.PolicyArns.Add("arn:aws:iam::123:policy/x"), $"PolicyArns[0] {NoPolicy}");
        Refuses(o => Add(o.PolicyArns, 11, n => $"arn:aws:iam::aws:policy/P{n}"), "PolicyArns has 11 entries; STS takes 10.");
        Refuses(o => Add(o.Resources, 2, n => n == 0 ? "*" : "orders"), "Resources[1] is no ARN, which has six parts with colons between them and begins with arn:.");
        Refuses(o => o.SessionPolicy = "{}", "SessionPolicy is no policy: a JSON object with a Statement.");
        Refuses(o => o.SessionPolicy = "{\"Statement\":[],\"Statement\":[]}", "SessionPolicy is not well-formed JSON, has a member twice, or is nested too deep.");
        Refuses(o =>
        {
            o.SessionPolicy = "{\"Statement\":[]}";
            o.Resources.Add("*");
        }, "SessionPolicy is set beside Resources. Set one of them.");
        Assert.That(
            () => Targets.AwsSts("arn:aws-cn:iam::123456789012:role/orders", "cn-north-1", o => o.UseFips = true),
            Throws.ArgumentException.With.Message.StartsWith("UseFips is set, and the partition 'aws-cn' has no FIPS endpoint. Leave it out. (Parameter"));
    }

    [Test]
    public void What_has_a_limit_is_taken_up_to_it()
    {
        int room = 2048 - AwsSessionPolicy.Of(default, ["arn:aws:s3:::"])!.Length;

        Takes(o => o.SessionName = "ab");
        Takes(o => o.SessionName = new string('a', 64));
        Takes(o => Add(o.PolicyArns, 10, n => n == 0 ? "arn:aws:iam::123456789012:policy/team/P" : $"arn:aws:iam::aws:policy/P{n}"));
        Takes(o => o.Resources.Add("arn:aws:s3:::" + new string('x', room)));
        Refuses(o => o.Resources.Add("arn:aws:s3:::" + new string('x', room + 1)), "Resources would be a session policy of 2049 characters; STS takes 2048.");
        Takes(o => o.SessionPolicy = $"{{ \"Statement\" : \"{new string('x', 2032)}\" }}");
        Refuses(o => o.SessionPolicy = $"{{ \"Statement\" : \"{new string('x', 2033)}\" }}", "SessionPolicy would be a session policy of 2049 characters; STS takes 2048.");
        Assert.That(AwsSessionPolicy.Read($"{{\"Statement\":\"{new string('x', 2033)}\"}}", out _), Is.Null, "nobody sends what has a fault");
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
    public void More_actions_than_a_session_policy_holds_are_refused_and_what_is_no_action_is_named_first()
    {
        TokenExchanger<AwsSessionCredentials> sts = Targets.AwsSts(AwsStsAnswerTests.Role, "eu-central-1");
        string action = "s3:" + new string('x', 2048 - AwsSessionPolicy.Of(ScopeSet.Of("s3:"), [])!.Length);

        Assert.That(sts.FlawOf(ScopeSet.Of(action)), Is.Null);
        Assert.That(sts.FlawOf(ScopeSet.Of(action + "x")), Is.EqualTo("would be a session policy of 2049 characters; STS takes 2048"));
        Assert.That(sts.FlawOf(ScopeSet.Of(action + "x", "read")), Is.EqualTo("name 'read', which is no action of IAM. Here write actions, such as s3:GetObject or s3:Get*"));
    }

    private static void Takes(Action<AwsStsOptions> configure) => Assert.That(() => Targets.AwsSts(AwsStsAnswerTests.Role, "eu-central-1", configure), Throws.Nothing);

    private static void Refuses(Action<AwsStsOptions> configure, string said) =>
        Assert.That(() => Targets.AwsSts(AwsStsAnswerTests.Role, "eu-central-1", configure), Throws.ArgumentException.With.Message.StartsWith(said + " (Parameter "));

    private static void Add(IList<string> list, int count, Func<int, string> entry)
    {
        for (int n = 0; n < count; n++)
            list.Add(entry(n));
    }
}
