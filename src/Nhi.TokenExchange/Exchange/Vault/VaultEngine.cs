namespace Nhi.TokenExchange;

/// <summary>What is known of secrets engines by the paths at which they are usually mounted: whether the secret itself ends when its lease is revoked. A mount may be called anything, so a target can say it.</summary>
internal static class VaultEngine
{
    // Engines that take back what they made: a database user, a broker's user, an ACL token, a service principal or its password.
    private static readonly string[] TakesBack = ["database", "rabbitmq", "consul", "nomad", "azure"];

    /// <summary>Whether a copy of the secret works after its lease was revoked. What is not known counts as yes.</summary>
    /// <param name="path">Where it is read, below <c>/v1/</c>.</param>
    /// <param name="endsWithLease">What the target says of it; null if nothing.</param>
    public static ExposureAnswer ReusableAfterJob(string path, bool? endsWithLease) => endsWithLease switch
    {
        true => ExposureAnswer.No("its lease is revoked when the job ends, and the configuration vouches that the secret ends with it"),
        false => ExposureAnswer.Yes("the configuration says that the secret works on when its lease is revoked"),
        _ when IsStaticRole(path) => ExposureAnswer.Yes("the password of a static role is good until Vault rotates it"),
        _ when IsSts(path) => ExposureAnswer.Yes("what AWS STS gives works until it dies by itself: revoking its lease ends nothing"),
        _ when path.Split('/') is [var engine, "creds", _] && TakesBack.Contains(engine, StringComparer.Ordinal) => ExposureAnswer.No("its lease is revoked when the job ends"),
        _ => ExposureAnswer.Yes("it is not known whether the secrets engine ends what it gave when its lease is revoked at the job's end"),
    };

    /// <summary>Whether it is known that the secret works on when its lease was revoked.</summary>
    public static bool OutlivesLease(string path, bool? endsWithLease) => !(endsWithLease ?? !(IsStaticRole(path) || IsSts(path)));

    /// <summary>"Database secrets engine", "LDAP secrets engine": Vault keeps and rotates the password of an account that is there. What stands before is the mount and behind is the role; of LDAP that may be a path.</summary>
    public static bool IsStaticRole(string path) => path.Split('/') is [_, .., "static-creds", _] || (path.Split('/') is [_, .. string[] middle, _] && middle.Contains("static-cred", StringComparer.Ordinal));

    // "AWS secrets engine": the other kinds of role are asked for at the same place as users are, which nobody sees from outside.
    private static bool IsSts(string path) => path.Split('/') is [_, .., "sts", _];
}
