namespace Nhi.TokenExchange;

/// <summary>A role of an auth method of the emulated Vault: which proofs it takes, and what the tokens are like that it gives.</summary>
/// <remarks>Set up before the first request that needs it. Values are compared exactly.</remarks>
public sealed class VaultRole
{
    internal VaultRole(string name, string subject)
    {
        Name = name;
        BoundSubject = subject;
    }

    /// <summary>The name that a login says.</summary>
    public string Name { get; }

    /// <summary><c>bound_subject</c>: what the claim <c>sub</c> must say.</summary>
    public string BoundSubject { get; }

    /// <summary><c>bound_audiences</c>: one of these must be in the proof's audience. Empty: a proof that has an audience is refused, as the real one does. At first the address of this server.</summary>
    public IList<string> BoundAudiences { get; } = [];

    /// <summary><c>bound_claims</c>: what these claims must say.</summary>
    public IDictionary<string, string> BoundClaims { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>What its tokens may ask for, beside what the policy <c>default</c> permits: paths; an asterisk at the end takes what begins so. At first everything.</summary>
    public IList<string> Paths { get; } = ["*"];

    /// <summary>Whether its tokens have the policy <c>default</c>: look themselves up, renew and revoke themselves, renew leases. Default true.</summary>
    public bool HasDefaultPolicy { get; set; } = true;

    /// <summary><c>token_ttl</c>. Default 1 hour.</summary>
    public TimeSpan TokenTtl { get; set; } = TimeSpan.FromHours(1);

    /// <summary><c>token_max_ttl</c>: how long its tokens can be renewed, counted from the login. Default 24 hours.</summary>
    public TimeSpan TokenMaxTtl { get; set; } = TimeSpan.FromHours(24);

    /// <summary><c>token_num_uses</c>; 0, the default, is any number.</summary>
    public int TokenNumUses { get; set; }

    /// <summary><c>token_type</c> <c>batch</c>: tokens that can neither be revoked nor renewed. Default false.</summary>
    public bool GivesBatchTokens { get; set; }
}
