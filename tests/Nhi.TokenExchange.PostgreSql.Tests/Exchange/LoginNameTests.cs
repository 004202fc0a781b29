namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>Names of logins: told from all others, since only they are ended.</summary>
internal sealed class LoginNameTests
{
    [TestCase("orders")]
    [TestCase("a-target-whose-name-is-as-long-as-names-of-targets-may-be-0123456")]
    [TestCase("x\"; DROP ROLE postgres; --")]
    public void A_new_name_fits_and_is_known_again(string target)
    {
        string name = LoginName.New("nhi", target);

        Assert.That(name, Has.Length.LessThanOrEqualTo(63).And.Matches("^nhi_[a-z0-9_]+_[a-z2-7]{26}$"));
        Assert.That(LoginName.Is("nhi", name), Is.True);
        Assert.That(LoginName.Is("other", name), Is.False);
        Assert.That(LoginName.New("nhi", target), Is.Not.EqualTo(name));
    }

    [TestCase("postgres")]
    [TestCase("nhi_admin")]
    [TestCase("nhi_orders_")]
    [TestCase("nhi_orders_abcdefghijklmnopqrstuvwxy1")]
    [TestCase("nhi_orders_abcdefghijklmnopqrstuvwxyz\"")]
    [TestCase("NHI_orders_abcdefghijklmnopqrstuvwxyz")]
    public void Another_name_is_none_of_ours(string name) => Assert.That(LoginName.Is("nhi", name), Is.False);

    [TestCase("")]
    [TestCase("pg_jobs")]
    [TestCase("9")]
    [TestCase("Nhi")]
    [TestCase("a-b")]
    [TestCase("abcdefghijklmnopqrstu")]
    public void A_prefix_that_makes_no_safe_names_is_refused(string prefix) =>
        Assert.That(() => Targets.PostgresRole("Host=/run/postgresql;Database=d;Username=u", o => o.RolePrefix = prefix), Throws.ArgumentException.With.Message.Contains("RolePrefix"));
}
