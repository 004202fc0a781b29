namespace Nhi.TokenExchange.Tests;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class OidcEnvironmentVariableSourceTests
{
    private readonly ManualTimeProvider _time = new();
    private string? _value;

    private OidcEnvironmentVariableSource Source => new("JOB_TOKEN", name => name == "JOB_TOKEN" ? _value : null);

    private async Task<SubjectToken> GetAsync(bool mustBeNew = false) => await Source.GetSubjectTokenAsync(Proofs.Request(_time, mustBeNew: mustBeNew), CancellationToken.None);

    private IdentityUnavailableException Refused(bool mustBeNew = false)
    {
        var refused = Assert.ThrowsAsync<IdentityUnavailableException>(() => GetAsync(mustBeNew))!;
        if (_value?.Trim().Length > 12)
            Assert.That(refused.ToString(), Does.Not.Contain(_value.Trim()[..12]));
        Assert.That(refused.Message, Does.Contain("'JOB_TOKEN'"));
        Assert.That(refused.IsTransient, Is.False, "nothing changes a variable of this process");
        return refused;
    }

    [Test]
    public async Task It_is_read_at_each_use_and_trimmed()
    {
        _value = Proofs.With(("jti", "1"));
        string first = (await GetAsync()).Reveal();
        string second = Proofs.With(("jti", "2"));
        _value = $"  {second}\r\n";
        Assert.That(first, Is.Not.EqualTo(second));
        Assert.That((await GetAsync()).Reveal(), Is.EqualTo(second));
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase(" \n")]
    public void Unset_and_empty_mean_the_same_row_56(string? value)
    {
        _value = value;
        Assert.That(Refused().Code, Is.EqualTo(ErrorCodes.ProofUnavailable));
    }

    [Test]
    public void What_has_ended_can_not_be_refreshed_in_this_process()
    {
        _value = Proofs.With();
        _time.Advance(TimeSpan.FromSeconds(271));
        IdentityUnavailableException refused = Refused();
        Assert.That(refused.Code, Is.EqualTo(ErrorCodes.ProofExpired));
        Assert.That(refused.Message, Does.Contain("cannot be refreshed in this process"));
    }

    [Test]
    public void What_was_refused_as_expired_is_not_given_again()
    {
        _value = Proofs.With();
        Assert.That(Refused(mustBeNew: true).Code, Is.EqualTo(ErrorCodes.ProofExpired));
    }

    [Test]
    public void What_is_no_JWT_or_too_long_is_refused_S18()
    {
        _value = "not-a-token-but-a-long-enough-text";
        Assert.That(Refused().Code, Is.EqualTo(ErrorCodes.ProofMalformed));
        _value = new string('x', 100 * 1024);
        Assert.That(Refused().Message, Does.Contain("102400 characters"));
    }

    [TestCase("")]
    [TestCase(" ")]
    [TestCase("A=B")]
    [TestCase("A\0B")]
    public void A_name_that_no_variable_has_is_refused_at_once(string name) =>
        Assert.That(() => IdentitySources.OidcEnvironmentVariable(name), Throws.ArgumentException);
}
