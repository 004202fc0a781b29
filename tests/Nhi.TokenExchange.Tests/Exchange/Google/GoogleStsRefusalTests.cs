namespace Nhi.TokenExchange.Tests.Exchange.Google;

/// <summary>What Google refuses, and what the error says to repair; and what is not even asked for.</summary>
internal sealed class GoogleStsRefusalTests
{
    private const string Name = "projects/123456789012/locations/global/workloadIdentityPools/jobs/providers/github";

    [Test]
    public async Task An_audience_that_the_provider_does_not_list_is_shown_with_the_command_that_lists_it()
    {
        await using GoogleJob job = await GoogleJob.StartAsync(options: o => o.SubjectAudience = "elsewhere");

        TokenExchangeException refused = job.Refused();

        Assert.That((refused.Code, refused.IsTransient, refused.IssuerError), Is.EqualTo(("NHI4011", false, "invalid_grant")));
        Assert.That(refused.Message, Does.Contain($"subject '{job.Identity.Subject}', audience 'elsewhere'").And.Contain($"none listed means https://iam.googleapis.com/{Name}")
            .And.Contain("gcloud iam workload-identity-pools providers update-oidc github --workload-identity-pool=jobs --location=global --project=123456789012").And.Contain("--allowed-audiences='elsewhere'"));
        Assert.That(job.Requests(EmulatorEndpoint.GoogleSts), Is.EqualTo(2), "a new proof was worth one try");
    }

    [Test]
    public async Task A_provider_that_is_not_there_and_a_condition_that_is_false_are_told_apart()
    {
        await using GoogleJob job = await GoogleJob.StartAsync();
        job.Provider.IsDisabled = true;
        TokenExchangeException disabled = job.Refused();
        await using GoogleJob other = await GoogleJob.StartAsync();
        other.Provider.Conditions["repository"] = "octo/other";
        TokenExchangeException condition = other.Refused();

        Assert.That((disabled.Code, disabled.IssuerError, condition.Code, condition.IssuerError), Is.EqualTo(("NHI4001", "invalid_target", "NHI4001", "unauthorized_client")));
        Assert.That(disabled.Message, Does.Contain("disabled or was deleted").And.Contain("providers describe github"));
        Assert.That(condition.Message, Does.Contain("rejected by the attribute condition").And.Contain("--format='value(attributeCondition)'"));
    }

    [Test]
    public async Task A_service_account_that_does_not_let_the_workload_in_is_shown_with_the_command_that_lets_it()
    {
        await using GoogleJob job = await GoogleJob.StartAsync(options: o => o.ServiceAccount = GoogleJob.Account);
        job.Emulator.Google.AddServiceAccount(GoogleJob.Account, "another");

        TokenExchangeException refused = job.Refused();

        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo(("NHI4014", false)));
        Assert.That(refused.Message, Does.Contain("answered 403 PERMISSION_DENIED for service account loader@my-project.iam.gserviceaccount.com: Permission 'iam.serviceAccounts.getAccessToken' denied")
            .And.Contain($"add-iam-policy-binding {GoogleJob.Account} --role=roles/iam.workloadIdentityUser --member='principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/jobs/subject/{job.Identity.Subject}'"));
    }

    [TestCase(400, "INVALID_ARGUMENT", "Request contains an invalid argument.", "NHI4001", false, "constraints/iam.allowServiceAccountCredentialLifetimeExtension")]
    [TestCase(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", "NHI4001", false, "IamEndpoint")]
    [TestCase(403, "PERMISSION_DENIED", "API has not been used in project 1 before or it is disabled.", "NHI4014", false, "gcloud services enable iamcredentials.googleapis.com")]
    [TestCase(404, "NOT_FOUND", "Not found; Gaia id not found for email", "NHI4001", false, "correct ServiceAccount")]
    [TestCase(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", "NHI4003", true, "Quota exceeded")]
    [TestCase(503, "UNAVAILABLE", "The service is currently unavailable.", "NHI4002", true, "unavailable")]
    public async Task A_refusal_of_the_service_account_says_which_kind_it_was_and_what_to_do(int status, string name, string message, string code, bool isTransient, string hint)
    {
        await using GoogleJob job = await GoogleJob.StartAsync(new SkippingTime(), o => o.ServiceAccount = GoogleJob.Account);
        job.Emulator.Faults.Always(EmulatorEndpoint.GoogleIam, Fault.Google(status, name, message));

        TokenExchangeException refused = job.Refused();

        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((code, isTransient)));
        Assert.That(refused.Message, Does.Contain($"answered {status} {name}").And.Contain(hint));
        Assert.That(job.Requests(EmulatorEndpoint.GoogleIam), isTransient ? Is.InRange(2, 5) : Is.EqualTo(1));
    }

    [Test]
    public async Task A_longer_life_than_the_organization_allows_is_refused_by_name()
    {
        await using GoogleJob job = await GoogleJob.StartAsync(options: o => o.ServiceAccount = GoogleJob.Account, target: t => t.MaxLifetime = TimeSpan.FromHours(2));
        EmulatedServiceAccount account = job.Emulator.Google.AddServiceAccount(GoogleJob.Account, job.Identity.Subject);

        Assert.That(job.Refused().Message, Does.Contain("more than an hour is given only where"));
        await using GoogleJob other = await GoogleJob.StartAsync(options: o => o.ServiceAccount = GoogleJob.Account, target: t => t.MaxLifetime = TimeSpan.FromHours(2));
        other.Emulator.Google.AddServiceAccount(GoogleJob.Account, other.Identity.Subject).AllowsLongLife = true;
        Assert.That(((await other.Archive.GetAsync()).ExpiresAt - other.Issued[^1].IssuedAt).TotalMinutes, Is.InRange(119, 120.1));
        Assert.That(account.AllowsLongLife, Is.False);
    }

    [TestCase("""{"accessToken":"","expireTime":"2030-01-01T00:00:00Z"}""", "has no accessToken")]
    [TestCase("[]", "is not a JSON object")]
    [TestCase("""{"expireTime":"2030-01-01T00:00:00Z"}""", "has no accessToken")]
    public async Task An_answer_without_a_token_is_told_as_such(string body, string said)
    {
        await using GoogleJob job = await GoogleJob.StartAsync(options: o => o.ServiceAccount = GoogleJob.Account);
        job.Emulator.Faults.Always(EmulatorEndpoint.GoogleIam, Fault.Body(body));

        Assert.That(() => job.Archive.GetAsync().AsTask(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI4004").And.Message.Contains(said));
    }

    [Test]
    public async Task A_token_without_a_readable_end_is_not_handed_out()
    {
        await using GoogleJob job = await GoogleJob.StartAsync(options: o => o.ServiceAccount = GoogleJob.Account);
        job.Emulator.Faults.Always(EmulatorEndpoint.GoogleIam, Fault.Body($$"""{"accessToken":"{{WireSamples.Token}}","expireTime":"soon"}"""));

        TokenExchangeException refused = job.Refused();

        Assert.That(refused.Message, Does.Contain("expireTime 'soon' that is no instant"));
        WireSamples.AssertNoCanary(refused);
    }

    [TestCase("projects/my-project/locations/global/workloadIdentityPools/jobs/providers/github", "has no number for its project")]
    [TestCase("https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/jobs/providers/github", "begins with https:")]
    [TestCase("//iam.googleapis.com/locations/global/workforcePools/jobs/providers/github", "is of a workforce pool")]
    [TestCase("projects/1/locations/global/workloadIdentityPools/jobs", "is no full name of a provider")]
    [TestCase("\"projects/1/locations/global/workloadIdentityPools/jobs/providers/github\"", "is no full name of a provider")]
    [TestCase("projects/1/locations/global/workloadIdentityPools/Jobs/providers/github", "a pool or a provider that is no id")]
    [TestCase("", "is no full name")]
    public void B22_An_audience_that_is_not_a_providers_is_refused_with_what_is_wrong(string provider, string said) =>
        Assert.That(() => Targets.GoogleSts(provider), Throws.ArgumentException.With.Message.Contains(said).And.Message.Contains("projects/123456789012/locations/global"));

    [TestCase("abcd", true)]
    [TestCase("a-7890123456789012345678901234567", false)]
    [TestCase("a-789012345678901234567890123456", true)]
    [TestCase("abc", false)]
    [TestCase("aBcd", false)]
    [TestCase("ab_d", false)]
    public void A_pool_and_a_provider_have_ids_of_4_to_32_small_letters_digits_and_hyphens(string id, bool isOne)
    {
        using (Assert.EnterMultipleScope())
        {
            foreach (string name in new[] { $"projects/1/locations/global/workloadIdentityPools/{id}/providers/github", $"projects/1/locations/global/workloadIdentityPools/jobs/providers/{id}" })
                Assert.That(() => Targets.GoogleSts(name), isOne ? Throws.Nothing : Throws.ArgumentException.With.Message.StartsWith("The provider has a pool or a provider that is no id: 4 to 32 small letters, digits and hyphens."), name);
        }
    }

    [Test]
    public void Each_name_is_taken_up_to_its_limits_and_no_further()
    {
        const string NoEmail = " is no email of a service account, such as loader@my-project.iam.gserviceaccount.com.";
        const string NoBucket = "Resources[0] is no bucket of Cloud Storage, which alone knows boundaries: //storage.googleapis.com/projects/_/buckets/orders.";
        const string NoPermission = "Permissions[0] is no permission of a boundary, such as inRole:roles/storage.objectViewer.";
        string longest = new string('a', 165) + "@my-project.iam.gserviceaccount.com";
        using (Assert.EnterMultipleScope())
        {
            Account("a@b.c", true);
            Account("Lo_ader-7@my-project.iam.gserviceaccount.com", true);
            Account(longest, true);
            Account("a" + longest, false);
            Account("@my-project.iam.gserviceaccount.com", false);
            Account("loader@", false);
            Account("loader@my-project", false);
            Account("loader@my-project.iam@gserviceaccount.com", false);
            Account("lo ader@my-project.iam.gserviceaccount.com", false);
            Bucket("abc", true);
            Bucket("a-b_c.7", true);
            Bucket(new string('a', 222), true);
            Bucket("ab", false);
            Bucket("", false);
            Bucket(new string('a', 223), false);
            Bucket("Orders", false);
            Bucket("orders/x", false);
            Permission("inRole:roles/storage.objectViewer", true);
            Permission("inRole:projects/my-project/roles/orders_7-reader", true);
            Permission("roles/storage.objectViewer", false);
            Permission("inRole:storage.objectViewer", false);
            Permission("inRole:roles/storage objectViewer", false);
            Try(o => Buckets(o, 10), null);
            Try(o => Buckets(o, 11), "Resources has 11 entries; a boundary has at most 10.");
            Try(
                o =>
                {
                    o.ServiceAccount = GoogleJob.Account;
                    o.Delegates.Add(GoogleJob.Account);
                    o.Delegates.Add("gate");
                },
                "Delegates[1]" + NoEmail);
            Assert.That(() => Targets.GoogleSts(Name.Replace("123456789012", "12a", StringComparison.Ordinal)), Throws.ArgumentException.With.Message.StartsWith("The provider has no number for its project: the project's id does not do here."));
            Assert.That(() => Targets.GoogleSts(Name.Replace("123456789012", "", StringComparison.Ordinal)), Throws.ArgumentException.With.Message.StartsWith("The provider has no number for its project: the project's id does not do here."));
            Assert.That(Targets.GoogleSts(Name).FlawOf(ScopeSet.Of("openid", "email")), Is.Null);
            Assert.That(Targets.GoogleSts(Name).FlawOf(ScopeSet.Of("profile")), Is.EqualTo("name 'profile', which is no scope of Google. Write it whole, such as https://www.googleapis.com/auth/devstorage.read_only"));
        }

        void Account(string email, bool isOne) => Try(o => o.ServiceAccount = email, isOne ? null : "ServiceAccount" + NoEmail);

        void Bucket(string name, bool isOne) => Try(o => Bound(o, name, "inRole:roles/storage.objectViewer"), isOne ? null : NoBucket);

        void Permission(string permission, bool isOne) => Try(o => Bound(o, "orders", permission), isOne ? null : NoPermission);

        static void Bound(GoogleStsOptions options, string bucket, string permission)
        {
            options.Resources.Add($"//storage.googleapis.com/projects/_/buckets/{bucket}");
            options.Permissions.Add(permission);
        }

        static void Buckets(GoogleStsOptions options, int count)
        {
            options.Permissions.Add("inRole:roles/storage.objectViewer");
            for (int n = 0; n < count; n++)
                options.Resources.Add($"//storage.googleapis.com/projects/_/buckets/orders-{n}");
        }

        static void Try(Action<GoogleStsOptions> configure, string? said) =>
            Assert.That(() => Targets.GoogleSts(Name, configure), said is null ? Throws.Nothing : Throws.ArgumentException.With.Message.StartsWith(said + " (Parameter "));
    }

    [Test]
    public void Options_that_are_wrong_are_refused_by_name_and_the_defaults_are_Googles()
    {
        void Refuses(Action<GoogleStsOptions> configure, string said) => Assert.That(() => Targets.GoogleSts(Name, configure), Throws.ArgumentException.With.Message.Contains(said));

        Refuses(o => o.ServiceAccount = "loader", "ServiceAccount is no email");
        Refuses(o => o.ServiceAccount = "a/../b@c.d", "ServiceAccount is no email");
        Refuses(o => o.Delegates.Add(GoogleJob.Account), "Delegates are set without ServiceAccount");
        Refuses(o => o.Resources.Add("//storage.googleapis.com/projects/_/buckets/orders"), "make one boundary");
        Refuses(o => o.Resources.Add("gs://orders"), "Resources[0] is no bucket");
        Refuses(o => o.Permissions.Add("storage.objects.get"), "Permissions[0] is no permission");
        Refuses(o => o.UniverseDomain = "googleapis.com/x", "UniverseDomain is no domain");
        Refuses(o => o.StsEndpoint = new Uri("http://sts.example"), "StsEndpoint");
        Refuses(o => o.IamEndpoint = new Uri("https://iam.example/v1"), "IamEndpoint has a path");
        Refuses(o => o.UsableMargin = TimeSpan.FromHours(1), "UsableMargin");
        Refuses(o =>
        {
            o.Permissions.Add("inRole:roles/storage.objectViewer");
            Enumerable.Range(0, 11).ToList().ForEach(n => o.Resources.Add($"//storage.googleapis.com/projects/_/buckets/orders-{n}"));
        }, "Resources has 11 entries");
        TokenExchanger<BearerToken> sts = Targets.GoogleSts(Name, o => o.UniverseDomain = "apis-tpc.example");
        Assert.That((sts.Issuer.AbsoluteUri, sts.SubjectAudience.ToString(), sts.UsableMargin), Is.EqualTo(("https://sts.apis-tpc.example/", $"https://iam.googleapis.com/{Name}", TimeSpan.FromSeconds(10))));
        Assert.That(sts.FlawOf(ScopeSet.Of("devstorage.read_only")), Does.Contain("is no scope of Google"));
        Assert.That(sts.FlawOf(ScopeSet.Of("https://www.googleapis.com/auth/devstorage.read_only", "email")), Is.Null);
    }
}
