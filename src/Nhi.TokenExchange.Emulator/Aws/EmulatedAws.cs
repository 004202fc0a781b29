using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>The emulated AWS account: STS with <c>AssumeRoleWithWebIdentity</c>, whose proofs are verified, and <c>GetCallerIdentity</c>, whose signatures are.</summary>
/// <remarks>Pages: STS API Reference, IAM User Guide "Create an OpenID Connect identity provider in IAM". It ends no session before its time, as the real one does not.</remarks>
public sealed class EmulatedAws
{
    internal const string UsualAudience = "sts.amazonaws.com";

    private readonly ConcurrentDictionary<string, AwsRole> _roles = new(StringComparer.Ordinal);
    private readonly AwsStsDesk _desk;
    private readonly string _origin;

    internal EmulatedAws(string origin, ProofIssuers issuers, Ledger ledger, EmulatorCanaries canaries, EmulatorOptions options)
    {
        _origin = origin;
        OpenIdProviders[issuers.Default] = [UsualAudience];
        _desk = new AwsStsDesk(this, issuers, ledger, canaries.Aws, options);
    }

    /// <summary>The address of STS.</summary>
    public Uri Endpoint => new(_origin);

    /// <summary>The account's number.</summary>
    public string AccountId { get; } = "123456789012";

    /// <summary>The IAM OIDC providers: issuers with their client ids, one of which must be in a proof's audience. At first the emulator's own issuer with <c>sts.amazonaws.com</c>.</summary>
    public IDictionary<string, IList<string>> OpenIdProviders { get; } = new ConcurrentDictionary<string, IList<string>>(StringComparer.Ordinal);

    internal string Origin => _origin;

    /// <summary>Adds a role that lets proofs of the emulator's own issuer in.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="subject">The exact subject.</param>
    /// <returns>The role, to be refined.</returns>
    /// <exception cref="ArgumentException">The role is there already.</exception>
    public AwsRole AddRole(string name, string subject)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(subject);
        var role = new AwsRole(AccountId, name, subject);
        return _roles.TryAdd(role.Arn, role) ? role : throw new ArgumentException($"The role '{name}' is there already.", nameof(name));
    }

    internal static EmulatorEndpoint? Find(string path) => path == "/" ? EmulatorEndpoint.AwsSts : null;

    internal AwsRole? FindRole(string arn) => _roles.GetValueOrDefault(arn);

    internal Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request) => _desk.AnswerAsync(request);
}
