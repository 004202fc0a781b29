namespace Nhi.TokenExchange.Tests.Configuration;

internal sealed class AwsSettingsTests
{
    private static (string, string?)[] With(params (string Key, string? Value)[] changes) =>
        [("Targets:archive:Identity", "job"), ("Targets:archive:Exchange", "AwsSts"), ("Targets:archive:RoleArn", "arn:aws:iam::123456789012:role/orders-loader"), ("Targets:archive:Region", "eu-central-1"), .. changes];

    [Test]
    public void All_that_code_can_say_a_section_can_say_too()
    {
        SessionPlan plan = Sections.Freeze(Sections.With(With(
            ("Targets:archive:Scopes:0", "s3:GetObject"), ("Targets:archive:Resources:0", "arn:aws:s3:::orders/*"), ("Targets:archive:PolicyArns:0", "arn:aws:iam::aws:policy/ReadOnlyAccess"), ("Targets:archive:SubjectAudience", "orders"),
            ("Targets:archive:SessionName", "orders-nightly"), ("Targets:archive:Endpoint", "https://vpce-1.sts.eu-central-1.vpce.amazonaws.com"), ("Targets:archive:UsableMargin", "00:01:00"))));

        TokenExchanger sts = plan.Targets.Single(target => target.Name == "archive").Exchanger;
        Assert.That((sts.SubjectAudience.ToString(), sts.UsableMargin, sts.Issuer.Host, sts.CredentialType), Is.EqualTo(("orders", TimeSpan.FromMinutes(1), "vpce-1.sts.eu-central-1.vpce.amazonaws.com", typeof(AwsSessionCredentials))));
        Assert.That(sts.Resources, Is.EqualTo(new[] { "arn:aws:s3:::orders/*" }));
        TokenExchanger fips = Sections.Freeze(Sections.With(With(("Targets:archive:UseFips", "true"), ("Targets:archive:SessionPolicy", "{\"Statement\":[]}")))).Targets.Single(target => target.Name == "archive").Exchanger;
        Assert.That(fips.Issuer.Host, Is.EqualTo("sts-fips.eu-central-1.amazonaws.com"));
        Assert.That(fips.FlawOf(ScopeSet.Of("s3:GetObject")), Does.Contain("beside SessionPolicy"));
    }

    [TestCase("RoleArn", null, "RoleArn: is missing")]
    [TestCase("RoleArn", "arn:aws:iam::123456789012:user/orders", "RoleArn: names a user, not a role")]
    [TestCase("RoleArn", "arn:aws-cn:iam::123456789012:role/orders", "RoleArn: is of the partition 'aws-cn', and the region is of 'aws'")]
    [TestCase("Region", null, "Region: is missing")]
    [TestCase("Region", "aws-global", "Region: is no region of AWS. Write its name, such as eu-central-1; the global endpoint is not used.")]
    [TestCase("Endpoint", "http://sts.example", "Endpoint: is not https")]
    [TestCase("UseFips", "maybe", "UseFips: is neither true nor false")]
    [TestCase("SessionName", "a b", "SessionName: is no name of a session")]
    [TestCase("Scopes:0", "read", "Scopes: name 'read', which is no action of IAM")]
    [TestCase("Resources:0", "orders", "Resources:0: is no ARN")]
    [TestCase("PolicyArns:0", "arn:aws:iam::123456789012:role/x", "PolicyArns:0: names no managed policy")]
    [TestCase("SessionPolicy", "{}", "SessionPolicy: is no policy")]
    [TestCase("SecretAccessKey", "x", "SecretAccessKey")]
    [TestCase("UsableMargin", "00:20:00", "UsableMargin: is 00:20:00, which is out of its range")]
    public void A_wrong_setting_is_named_with_what_to_write(string setting, string? value, string said) =>
        Assert.That(Sections.Refused(Sections.With(With(($"Targets:archive:{setting}", value)))).Message, Does.Contain(said));

    [Test]
    public void What_excludes_each_other_is_told()
    {
        Assert.That(Sections.Refused(Sections.With(With(("Targets:archive:UseFips", "true"), ("Targets:archive:Endpoint", "https://sts.example")))).Message, Does.Contain("UseFips: is set beside Endpoint"));
        Assert.That(Sections.Refused(Sections.With(With(("Targets:archive:SessionPolicy", "{\"Statement\":[]}"), ("Targets:archive:Resources:0", "*")))).Message, Does.Contain("SessionPolicy: is set beside Resources"));
        Assert.That(Sections.Refused(Sections.With(With([.. Enumerable.Range(0, 100).Select(n => ($"Targets:archive:Resources:{n}", (string?)$"arn:aws:s3:::orders-{n}/*"))]))).Message, Does.Contain("Resources: would be a session policy of"));
    }
}
