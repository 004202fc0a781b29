using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>FAULTS 5c, row 71, and DESIGN: a proof must show by itself that it is a workload's, or the configuration vouches for it.</summary>
internal sealed class WorkloadRecognitionTests
{
    private const string Entra = "https://login.microsoftonline.com/7a2f/v2.0";

    private static AttestedProof Check(string compact, ActsFor actsFor = ActsFor.Proven) => ProofCheck.Check(Proofs.Token(compact), new Audience(Proofs.Audience), actsFor, Proofs.Now);

    private static IEnumerable<TestCaseData> Workloads()
    {
        TestCaseData Row(string name, string platform, string issuer, string subject, params (string, JsonNode?)[] more) => new TestCaseData(platform, Proofs.Of(issuer, subject, more)).SetArgDisplayNames(name);
        (string, JsonNode?)[] run = [("repository", "acme/orders"), ("run_id", "7"), ("actor", "mona")];
        yield return Row("GitHub", "GitHub Actions", "https://token.actions.githubusercontent.com", "repo:acme/orders:ref:refs/heads/main", run);
        yield return Row("GitHub, immutable ids", "GitHub Actions", "https://token.actions.githubusercontent.com", "repo:acme@1/orders@2:environment:prod", run);
        yield return Row("GitHub, subject by template", "GitHub Actions", "https://token.actions.githubusercontent.com/acme-corp", "repository_owner:acme", run);
        yield return Row("GitHub, data residency", "GitHub Actions", "https://token.actions.acme.ghe.com", "repo:acme/orders:pull_request", run);
        yield return Row("GitHub Enterprise Server", "GitHub Actions", "https://git.corp.example/_services/token", "repo:acme/orders:pull_request", run);
        yield return Row("Kubernetes", "Kubernetes service account", "https://oidc.cluster.example", "system:serviceaccount:etl:loader",
            ("kubernetes.io", new JsonObject { ["namespace"] = "etl", ["serviceaccount"] = new JsonObject { ["name"] = "loader", ["uid"] = "u" }, ["pod"] = new JsonObject { ["name"] = "p", ["uid"] = "q" } }));
        yield return Row("Azure DevOps connection", "Azure DevOps", "https://vstoken.dev.azure.com/11aa", "sc://acme/orders/warehouse");
        yield return Row("Azure DevOps pipeline", "Azure DevOps", "https://vstoken.dev.azure.com/11aa", "p://acme/orders/nightly");
        yield return Row("Azure DevOps by Entra", "Azure DevOps through Entra", Entra, "/eid1/c/pub/t/abc/a/def/sc/11aa/22bb");
        yield return Row("Entra by idtyp", "Entra application or managed identity", Entra, "s", ("idtyp", "app"), ("azp", "c"));
        yield return Row("Entra v1, oid is sub", "Entra application or managed identity", "https://sts.windows.net/7a2f/", "o1", ("appid", "c"), ("oid", "o1"));
        yield return Row("GitLab", "GitLab CI", "https://gitlab.corp.example", "project_path:acme/orders:ref_type:branch:ref:main", ("project_path", "acme/orders"), ("pipeline_id", "1"), ("job_id", "2"), ("user_login", "mona"), ("user_email", "mona@acme.example"));
        yield return Row("SPIFFE without iss", "SPIFFE", "", "spiffe://prod.acme/ns/etl/sa/loader", ("iss", null));
        yield return Row("Buildkite", "Buildkite", "https://agent.buildkite.com", "organization:acme:pipeline:orders:ref:refs/heads/main:commit:1:step:x", ("job_id", "1"));
        yield return Row("CircleCI", "CircleCI", "https://oidc.circleci.com/org/o1", "org/o1/project/p1/user/u1");
        yield return Row("Bitbucket", "Bitbucket Pipelines", "https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc", "{r}:{s}", ("stepUuid", "{s}"));
        yield return Row("HCP Terraform", "HCP Terraform", "https://app.terraform.io", "organization:acme:project:p:workspace:w:run_phase:apply", ("terraform_run_id", "run-1"));
        yield return Row("Vercel", "Vercel", "https://oidc.vercel.com/acme", "owner:acme:project:p:environment:production", ("environment", "production"));
        yield return Row("Fly.io", "Fly.io", "https://oidc.fly.io/acme", "acme:app:machine", ("machine_id", "m"));
        yield return Row("Google metadata", "Google service account", "https://accounts.google.com", "1029", ("azp", "1029"));
        yield return Row("Google with mail", "Google service account", "https://accounts.google.com", "1029", ("azp", "1029"), ("email", "etl@p.iam.gserviceaccount.com"), ("email_verified", true));
        yield return Row("AWS", "AWS role", "https://11aa.tokens.sts.global.api.aws", "arn:aws:iam::123456789012:role/etl");
    }

    [TestCaseSource(nameof(Workloads))]
    public void A_platforms_proof_shows_by_itself_that_it_is_a_workloads(string platform, string token)
    {
        Assert.That(WorkloadRecognition.PlatformOf(JwtReader.Read(token)), Is.EqualTo(platform));
        Assert.That(Check(token).WorkloadIsAsserted, Is.False);
        Assert.That(Check(token, ActsFor.Workload).WorkloadIsAsserted, Is.False, "proven stays proven");
    }

    [Test]
    public void An_access_token_of_the_client_credentials_grant_is_a_clients()
    {
        string token = Proofs.Compact(new JsonObject
        {
            ["iss"] = "https://as.example", ["sub"] = "client-1", ["client_id"] = "client-1", ["aud"] = Proofs.Audience, ["exp"] = Proofs.Now.ToUnixTimeSeconds() + 300,
        }.ToJsonString(), """{"alg":"RS256","typ":"at+jwt"}""");
        Assert.That(Check(token).WorkloadIsAsserted, Is.False);
    }

    private static IEnumerable<TestCaseData> Persons()
    {
        TestCaseData Row(string name, string issuer, string subject, params (string, JsonNode?)[] more) => new TestCaseData(Proofs.Of(issuer, subject, more)).SetArgDisplayNames(name);
        yield return Row("Entra idtyp", Entra, "s", ("idtyp", "user"), ("azp", "c"));
        yield return Row("Entra v1 user", "https://sts.windows.net/7a2f/", "s", ("appid", "c"), ("oid", "o"), ("upn", "ann@acme.example"), ("unique_name", "ann@acme.example"), ("scp", "user_impersonation"));
        yield return Row("Entra v2 user, scopes only", Entra, "s", ("azp", "c"), ("oid", "o"), ("scp", "access"));
        yield return Row("Entra v2 ID token", Entra, "s", ("oid", "o"), ("preferred_username", "ann@acme.example"), ("name", "Ann"));
        yield return Row("Entra guest", Entra, "s", ("oid", "o"), ("email", "ann@other.example"));
        yield return Row("Entra amr", Entra, "s", ("oid", "o"), ("azp", "c"), ("amr", new JsonArray("pwd", "mfa")));
        yield return Row("Google", "https://accounts.google.com", "1029", ("azp", "32.apps.googleusercontent.com"), ("email", "ann@acme.example"), ("hd", "acme.example"));
        yield return Row("Google, domain only", "https://accounts.google.com", "1029", ("azp", "32.apps.googleusercontent.com"), ("hd", "acme.example"));
        yield return Row("GitLab user", "https://gitlab.com", "4711", ("nickname", "ann"), ("preferred_username", "ann"), ("auth_time", 1767225600));
        yield return Row("OpenID Connect", "https://idp.example", "4711", ("given_name", "Ann"), ("family_name", "Lee"));
        yield return Row("Logged in", "https://idp.example", "4711", ("auth_time", 1767225600));
        yield return Row("Databricks user", "https://workspace.example/oidc", "ann@acme.example", ("client_id", "databricks-cli"));
        yield return Row("Okta user", "https://acme.okta.example", "4711", ("scp", new JsonArray("openid")), ("cid", "c1"));
    }

    [TestCaseSource(nameof(Persons))]
    public void B71_A_persons_proof_is_refused_whatever_the_configuration_says(string token)
    {
        foreach (ActsFor actsFor in (ActsFor[])[ActsFor.Proven, ActsFor.Workload])
            Assert.That(() => Check(token, actsFor), Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo(ErrorCodes.ProofOfAPerson));
    }

    private static IEnumerable<TestCaseData> Unknown()
    {
        TestCaseData Row(string name, string issuer, string subject, params (string, JsonNode?)[] more) => new TestCaseData(Proofs.Of(issuer, subject, more)).SetArgDisplayNames(name);
        yield return Row("an issuer of one's own", "https://idp.example", "batch-7");
        yield return Row("self-signed", "client-1", "client-1");
        yield return Row("self-signed as SPIFFE", "spiffe://td/x", "spiffe://td/x");
        yield return Row("a repository said by somebody else", "https://idp.example", "repo:acme/orders:ref:refs/heads/main", ("repository", "acme/orders"), ("run_id", "1"));
        yield return Row("GitHub's host as a part", "https://token.actions.githubusercontent.com.evil.example", "repo:acme/orders:ref:refs/heads/main", ("repository", "acme/orders"), ("run_id", "1"));
        yield return Row("GitHub at another port", "https://token.actions.githubusercontent.com:444", "repo:a/b", ("repository", "acme/orders"), ("run_id", "1"));
        yield return Row("a service account without its claims", "https://oidc.cluster.example", "system:serviceaccount:etl:loader");
        yield return Row("a service account with other claims", "https://oidc.cluster.example", "system:serviceaccount:etl:loader", ("kubernetes.io", new JsonObject { ["namespace"] = "other", ["serviceaccount"] = new JsonObject { ["name"] = "loader" } }));
        yield return Row("Entra, nobody knows", Entra, "s", ("azp", "c"), ("oid", "o"));
        yield return Row("Entra's host in wide letters", "https://\uff4cogin.microsoftonline.com/7a2f/v2.0", "s", ("idtyp", "app"));
        yield return Row("a host that is no name", "https://\u0300a.example", "s", ("idtyp", "app"));
        yield return Row("Keycloak client", "https://kc.example/realms/r", "5f", ("preferred_username", "service-account-etl"), ("azp", "etl"));
        yield return Row("Okta client", "https://acme.okta.example", "c1", ("scp", new JsonArray("jobs")), ("cid", "c1"));
        yield return Row("Vercel development", "https://oidc.vercel.com/acme", "owner:acme:project:p:environment:development", ("environment", "development"));
    }

    [TestCaseSource(nameof(Unknown))]
    public void What_is_not_known_needs_the_word_of_the_configuration_and_the_audit_hears_so(string token)
    {
        Assert.That(() => Check(token), Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo(ErrorCodes.ProofNotKnownToBeAWorkloads).And.Message.Contains("ActsFor.Workload"));
        Assert.That(Check(token, ActsFor.Workload).WorkloadIsAsserted, Is.True);
    }

    [Test]
    public void The_issuer_of_a_JWT_SVID_without_iss_is_its_trust_domain() =>
        Assert.That(Check(Proofs.Of("", "spiffe://prod.acme/etl", ("iss", null))).Issuer, Is.EqualTo("spiffe://prod.acme"));
}
