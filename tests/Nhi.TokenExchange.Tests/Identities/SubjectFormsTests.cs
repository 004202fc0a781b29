namespace Nhi.TokenExchange.Tests.Identities;

/// <summary>GitHub and Azure DevOps have two forms for the subject of one workload.</summary>
public class SubjectFormsTests
{
    private const string Older = "repo:octo/orders:ref:refs/heads/main";
    private const string Newer = "repo:octo@1001/orders@2002:ref:refs/heads/main";
    private const string Connection = "sc://octo/data/warehouse";
    private const string EntraConnection = "/eid1/c/pub/t/x/a/y/sc/organisation/connection";

    [TestCase(Older, Newer)]
    [TestCase(Newer, Older)]
    [TestCase(Connection, EntraConnection)]
    [TestCase(EntraConnection, Connection)]
    public void Two_forms_of_one_subject_are_told_as_that(string expected, string presented)
    {
        string? difference = ExactText.DifferenceOf(expected, presented);

        Assert.That(difference, Does.Contain("two forms of one subject").And.Contain($"expected is '{expected}', presented '{presented}'"));
    }

    [TestCase(Newer, "repo:octo/payments:ref:refs/heads/main")]
    [TestCase(Older, "repo:octo@1001/orders@2002:ref:refs/heads/develop")]
    [TestCase(Newer, "repo:octo@1001/orders@2003:ref:refs/heads/main")]
    [TestCase("repo:octo@1001/orders:ref:refs/heads/main", Older)]
    [TestCase("repo:octo@acme/orders@acme:ref:refs/heads/main", Older)]
    [TestCase(Connection, "sc://octo/data/lake")]
    public void What_is_more_than_another_form_is_told_by_its_first_different_character(string expected, string presented) =>
        Assert.That(ExactText.DifferenceOf(expected, presented), Does.StartWith("first difference at position "));

    [Test]
    public void The_other_form_is_made_of_the_ids_in_the_proof()
    {
        string? older = SubjectForms.OtherFormOf(Proof(Older, ("repository_owner_id", "1001"), ("repository_id", "2002"))), newer = SubjectForms.OtherFormOf(Proof(Newer));

        Assert.That(older, Does.Contain($"Presented is '{Older}'; a trust that was made for the other form has '{Newer}'."));
        Assert.That(newer, Does.Contain($"Presented is '{Newer}'; a trust that was made for the other form has '{Older}'."));
    }

    [TestCase(Older, Description = "without its ids nothing is known of the other form")]
    [TestCase("system:serviceaccount:jobs:orders-nightly")]
    [TestCase("repo:octo:orders")]
    [TestCase("repo:/orders:ref:refs/heads/main")]
    [TestCase("")]
    public void A_subject_that_has_one_form_alone_has_no_other(string subject) => Assert.That(SubjectForms.OtherFormOf(Proof(subject)), Is.Null);

    [TestCase(Connection, "presented is the first")]
    [TestCase(EntraConnection, "presented is the second")]
    public void Of_Azure_DevOps_it_is_told_which_form_is_presented(string subject, string told) => Assert.That(SubjectForms.OtherFormOf(Proof(subject)), Does.Contain(told));

    private static Jwt Proof(string subject, params (string Name, string Value)[] claims) => new()
    {
        Algorithm = "RS256", Issuer = "https://issuer.example", Subject = subject, Audiences = [], SignatureBytes = 256, Claims = claims.ToDictionary(claim => claim.Name, claim => claim.Value),
    };
}
