namespace Nhi.TokenExchange.Tests.Configuration;

internal sealed class GoogleSettingsTests
{
    private const string Provider = "projects/123456789012/locations/global/workloadIdentityPools/jobs/providers/github";

    private static (string, string?)[] With(params (string Key, string? Value)[] changes) =>
        [("Targets:archive:Identity", "job"), ("Targets:archive:Exchange", "GoogleSts"), ("Targets:archive:Provider", Provider), .. changes];

    [Test]
    public void All_that_code_can_say_a_section_can_say_too()
    {
        SessionPlan plan = Sections.Freeze(Sections.With(With(
            ("Targets:archive:Scopes:0", "https://www.googleapis.com/auth/devstorage.read_only"), ("Targets:archive:ServiceAccount", "loader@my-project.iam.gserviceaccount.com"), ("Targets:archive:Delegates:0", "gate@my-project.iam.gserviceaccount.com"),
            ("Targets:archive:Resources:0", "//storage.googleapis.com/projects/_/buckets/orders"), ("Targets:archive:Permissions:0", "inRole:roles/storage.objectViewer"), ("Targets:archive:SubjectAudience", "orders"),
            ("Targets:archive:UniverseDomain", "apis-tpc.example"), ("Targets:archive:IamEndpoint", "https://iam.example"), ("Targets:archive:UsableMargin", "00:01:00"))));

        TokenExchanger sts = plan.Targets.Single(target => target.Name == "archive").Exchanger;
        Assert.That((sts.SubjectAudience.ToString(), sts.UsableMargin, sts.Issuer.Host, sts.CredentialType), Is.EqualTo(("orders", TimeSpan.FromMinutes(1), "sts.apis-tpc.example", typeof(BearerToken))));
        Assert.That(sts.Resources, Is.EqualTo(new[] { "//storage.googleapis.com/projects/_/buckets/orders" }));
        Assert.That(Sections.Freeze(Sections.With(With(("Targets:archive:StsEndpoint", "https://sts.example")))).Targets.Single(target => target.Name == "archive").Exchanger.Issuer.Host, Is.EqualTo("sts.example"));
    }

    [TestCase("Provider", null, "Provider: is missing")]
    [TestCase("Provider", "projects/my-project/locations/global/workloadIdentityPools/jobs/providers/github", "Provider: has no number for its project")]
    [TestCase("ServiceAccount", "loader", "ServiceAccount: is no email of a service account")]
    [TestCase("Delegates:0", "gate@my-project.iam.gserviceaccount.com", "Delegates: are set without ServiceAccount")]
    [TestCase("Resources:0", "//storage.googleapis.com/projects/_/buckets/orders", "Permissions: is missing, while Resources is set")]
    [TestCase("Resources:0", "gs://orders", "Resources:0: is no bucket of Cloud Storage")]
    [TestCase("Permissions:0", "read", "Permissions:0: is no permission of a boundary")]
    [TestCase("Scopes:0", "sql", "Scopes: name 'sql', which is no scope of Google")]
    [TestCase("UniverseDomain", "a b", "UniverseDomain: is no domain")]
    [TestCase("StsEndpoint", "https://sts.example/v1", "StsEndpoint: has a path")]
    [TestCase("PrivateKey", "x", "PrivateKey")]
    public void A_wrong_setting_is_named_with_what_to_write(string setting, string? value, string said) =>
        Assert.That(Sections.Refused(Sections.With(With(($"Targets:archive:{setting}", value)))).Message, Does.Contain(said));
}
