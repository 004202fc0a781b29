namespace Nhi.TokenExchange;

/// <summary>A service account of the emulated Google Cloud, with who may act as it.</summary>
/// <remarks>Set up before the first request that needs it.</remarks>
public sealed class EmulatedServiceAccount
{
    internal EmulatedServiceAccount(string email) => Email = email;

    /// <summary>Its email.</summary>
    public string Email { get; }

    /// <summary>The subjects of workloads that have <c>roles/iam.workloadIdentityUser</c> on it.</summary>
    public IList<string> WorkloadIdentityUsers { get; } = [];

    /// <summary>The emails of service accounts that have <c>roles/iam.serviceAccountTokenCreator</c> on it.</summary>
    public IList<string> TokenCreators { get; } = [];

    /// <summary>Whether the organization's policy lets its tokens live up to 12 hours. Default false: 1 hour.</summary>
    public bool AllowsLongLife { get; set; }
}
