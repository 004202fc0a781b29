namespace Nhi.TokenExchange;

/// <summary>A provider of a workload identity pool in the emulated Google Cloud: which proofs it takes.</summary>
/// <remarks>Set up before the first request that needs it. <c>google.subject</c> is mapped to <c>sub</c>.</remarks>
public sealed class PoolProvider
{
    internal PoolProvider(string project, string pool, string id)
    {
        Pool = $"projects/{project}/locations/global/workloadIdentityPools/{pool}";
        Name = $"{Pool}/providers/{id}";
    }

    /// <summary>Its full name, <c>projects/…/providers/…</c>.</summary>
    public string Name { get; }

    /// <summary>The issuer whose proofs it takes. Null: the emulator's own.</summary>
    public string? Issuer { get; set; }

    /// <summary>The allowed audiences. Empty, as at first: its own name behind <c>https://iam.googleapis.com/</c>, with or without <c>https:</c>.</summary>
    public IList<string> AllowedAudiences { get; } = [];

    /// <summary>The attribute condition: what these claims must say. At first nothing.</summary>
    public IDictionary<string, string> Conditions { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whether it is disabled. Default false.</summary>
    public bool IsDisabled { get; set; }

    internal string Pool { get; }
}
