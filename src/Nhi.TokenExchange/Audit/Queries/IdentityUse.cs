namespace Nhi.TokenExchange;

/// <summary>One non-human identity, and for what it was used: one for everything, or one for each thing.</summary>
public sealed class IdentityUse
{
    private readonly SortedSet<string> _pipelines = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _datasets = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _environments = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _denied = new(StringComparer.Ordinal);

    internal IdentityUse(string issuer, string subject)
    {
        Issuer = issuer;
        Subject = subject;
    }

    /// <summary>Who vouches for it.</summary>
    public string Issuer { get; }

    /// <summary>Its name.</summary>
    public string Subject { get; }

    /// <summary>The pipelines that got a credential with it, as they say, or as it attests.</summary>
    public IReadOnlyCollection<string> Pipelines => _pipelines;

    /// <summary>The data sets that credentials were got for with it, as the jobs say.</summary>
    public IReadOnlyCollection<string> Datasets => _datasets;

    /// <summary>The environments that credentials were got in with it.</summary>
    public IReadOnlyCollection<string> Environments => _environments;

    /// <summary>The pipelines that presented it, and were denied. They may be among those that got something by another rule.</summary>
    public IReadOnlyCollection<string> DeniedPipelines => _denied;

    /// <summary>Whether it served more than one pipeline, data set or environment.</summary>
    public bool IsShared => _pipelines.Count > 1 || _datasets.Count > 1 || _environments.Count > 1;

    /// <summary>One line for people.</summary>
    public override string ToString() => AuditText.Shown($"{Subject} of {Issuer}: pipelines {Words(_pipelines)}; data sets {Words(_datasets)}; environments {Words(_environments)}{(_denied.Count == 0 ? "" : $"; denied to pipelines {Words(_denied)}")}", 2000);

    internal void Add(AuditEvent told)
    {
        if (told.Kind == AuditEventKind.Denied)
            Add(_denied, told.Job.Pipeline);
        if (!AuditEventJson.IsGranted(told.Kind))
            return;
        Add(_pipelines, told.Job.Pipeline);
        Add(_datasets, told.Job.Dataset);
        Add(_environments, told.Job.Environment);
    }

    private static void Add(SortedSet<string> known, string? one)
    {
        if (one is not null)
            known.Add(one);
    }

    private static string Words(SortedSet<string> known) => known.Count == 0 ? "unknown" : string.Join(", ", known);
}
