namespace Nhi.TokenExchange;

/// <summary>What may be said about a remote decision point.</summary>
public sealed class RemotePolicyOptions
{
    internal static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(2);
    internal static readonly TimeSpan LongestDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestDeadline = TimeSpan.FromMilliseconds(100);

    /// <summary>How long one decision may take, repeats of what failed in passing included. Default 2 seconds; from 0.1 to 30 seconds.</summary>
    public TimeSpan Deadline { get; set; } = DefaultDeadline;

    /// <summary>
    /// The claims of the proof that are sent where the proof has them, by name; a nested one by its path, such as <c>kubernetes.io/namespace</c>. Default: those that say which workload it is on GitHub, GitLab, Kubernetes and Azure, and
    /// none that names a person. Nothing else of the proof leaves, but issuer and subject.
    /// </summary>
    public IList<string> Claims { get; } = [.. WorkloadClaims.Default];

    internal static RemotePolicyOptions Of(Action<RemotePolicyOptions>? configure)
    {
        var options = new RemotePolicyOptions();
        configure?.Invoke(options);
        if (options.Deadline < ShortestDeadline || options.Deadline > LongestDeadline)
            throw new ArgumentException($"Deadline is {options.Deadline}; give 00:00:00.1 to {LongestDeadline}.", nameof(configure));
        return options.Claims.Any(string.IsNullOrEmpty) ? throw new ArgumentException("Claims has an entry without a name.", nameof(configure)) : options;
    }
}
