namespace Nhi.TokenExchange;

/// <summary>One non-human identity, and for what it was used: one for everything, or one for each thing.</summary>
public sealed class IdentityUse
{
    private readonly SortedSet<string> _pipelines = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _datasets = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _environments = new(StringComparer.Ordinal);

    internal IdentityUse(string issuer, string subject)
    {
        Issuer = issuer;
        Subject = subject;
    }

    /// <summary>Who vouches for it.</summary>
    public string Issuer { get; }

    /// <summary>Its name.</summary>
    public string Subject { get; }

    /// <summary>The pipelines that used it, as they say, or as it attests.</summary>
    public IReadOnlyCollection<string> Pipelines => _pipelines;

    /// <summary>The data sets that it was used for, as the jobs say.</summary>
    public IReadOnlyCollection<string> Datasets => _datasets;

    /// <summary>The environments that it was used in.</summary>
    public IReadOnlyCollection<string> Environments => _environments;

    /// <summary>Whether it served more than one pipeline, data set or environment.</summary>
    public bool IsShared => _pipelines.Count > 1 || _datasets.Count > 1 || _environments.Count > 1;

    /// <summary>One line for people.</summary>
    public override string ToString() => AuditText.Shown($"{Subject} of {Issuer}: pipelines {Words(_pipelines)}; data sets {Words(_datasets)}; environments {Words(_environments)}", 2000);

    internal void Add(JobContext job)
    {
        Add(_pipelines, job.Pipeline);
        Add(_datasets, job.Dataset);
        Add(_environments, job.Environment);
    }

    private static void Add(SortedSet<string> known, string? one)
    {
        if (one is not null)
            known.Add(one);
    }

    private static string Words(SortedSet<string> known) => known.Count == 0 ? "unknown" : string.Join(", ", known);
}
