namespace Nhi.TokenExchange;

/// <summary>The boundary of every credential: which pipeline, run and task, on which data set, for what purpose. Goes to policy and audit.</summary>
/// <remarks>
/// What code says wins over the configuration, and both over what the runtime's own variables say (<see cref="TokenExchangeBuilder.JobFromRuntime"/>). <see cref="Origins"/> tells where each fact was said. All of it is only
/// asserted, but for what the proof attests: <see cref="AccessRequest.AttestedFacts"/>, <see cref="AuditEvent.AttestedFacts"/>, <see cref="TargetOptions.AttestedFacts"/>.
/// </remarks>
public sealed class JobContext
{
    // The order of all that is told of facts one by one.
    private static readonly string[] Names = [nameof(Pipeline), nameof(Run), nameof(Task), nameof(Dataset), nameof(Purpose), nameof(Environment)];

    private FactOrigin[]? _origins;

    /// <summary>A job that nothing is said about.</summary>
    public static JobContext Unnamed { get; } = new();

    /// <summary>The pipeline, such as <c>orders-nightly</c>.</summary>
    public string? Pipeline { get; init; }

    /// <summary>The run of the pipeline. Overlapping runs are different jobs.</summary>
    public string? Run { get; init; }

    /// <summary>The task within the run.</summary>
    public string? Task { get; init; }

    /// <summary>The data set worked on.</summary>
    public string? Dataset { get; init; }

    /// <summary>What for, such as <c>load</c>.</summary>
    public string? Purpose { get; init; }

    /// <summary>The environment, such as <c>production</c>.</summary>
    public string? Environment { get; init; }

    /// <summary>
    /// Where each fact that is set was said, by the name of its property: <c>code</c>, <c>configuration</c>, <c>variable GITHUB_RUN_ID of GitHub Actions</c>, or <c>claim run_id of GitHub Actions</c> where
    /// the proof said it. Whether it is attested says <see cref="AuditEvent.AttestedFacts"/>: a proof may confirm what the configuration said.
    /// </summary>
    public IReadOnlyDictionary<string, string> Origins =>
        Enumerable.Range(0, Names.Length).Where(fact => ValueAt(fact) is not null).ToDictionary(fact => Names[fact], fact => OriginAt(fact).Text, StringComparer.Ordinal);

    /// <summary>The facts that are set, by the names of their properties, with where each was said.</summary>
    internal IEnumerable<(string Name, string Value, string Origin)> Facts =>
        from fact in Enumerable.Range(0, Names.Length)
        let value = ValueAt(fact)
        where value is not null
        select (Names[fact], value, OriginAt(fact).Text);

    /// <summary>All facts that there are, by the names of their properties.</summary>
    internal static IReadOnlyList<string> FactNames => Names;

    /// <summary>Who said it, where one did for all facts.</summary>
    internal FactOrigin SaidBy { get; init; } = FactOrigin.Code;

    /// <summary>Of a fact that a platform can attest: what is said.</summary>
    internal string? ValueOf(JobFacts fact) => ValueAt(IndexOf(fact));

    /// <summary>Of a fact that a platform can attest: where it was said.</summary>
    internal FactOrigin OriginOf(JobFacts fact) => OriginAt(IndexOf(fact));

    /// <summary>A job of facts that a platform says, each with where it says it.</summary>
    internal static JobContext Of(IReadOnlyDictionary<JobFacts, (string Value, FactOrigin Origin)> said)
    {
        var job = new JobContext { Pipeline = Value(JobFacts.Pipeline), Run = Value(JobFacts.Run), Task = Value(JobFacts.Task), Environment = Value(JobFacts.Environment) };
        job._origins = [.. Names.Select(_ => FactOrigin.Code)];
        foreach ((JobFacts fact, (_, FactOrigin origin)) in said)
            job._origins[IndexOf(fact)] = origin;
        return job;

        string? Value(JobFacts fact) => said.TryGetValue(fact, out (string Value, FactOrigin Origin) found) ? found.Value : null;
    }

    /// <summary>The reverse of <see cref="Facts"/>; null if a name is none.</summary>
    internal static JobContext? Of(IReadOnlyDictionary<string, (string Value, string Origin)> said)
    {
        if (said.Keys.Except(Names).Any())
            return null;
        var job = new JobContext { Pipeline = Value(0), Run = Value(1), Task = Value(2), Dataset = Value(3), Purpose = Value(4), Environment = Value(5) };
        job._origins = [.. Names.Select(name => said.TryGetValue(name, out (string Value, string Origin) fact) ? new FactOrigin(fact.Origin) : FactOrigin.Code)];
        return job;

        string? Value(int fact) => said.TryGetValue(Names[fact], out (string Value, string Origin) found) ? found.Value : null;
    }

    /// <summary>The facts of this one, and where it says nothing those of the other.</summary>
    internal JobContext Over(JobContext other)
    {
        var job = new JobContext
        {
            Pipeline = Pipeline ?? other.Pipeline, Run = Run ?? other.Run, Task = Task ?? other.Task,
            Dataset = Dataset ?? other.Dataset, Purpose = Purpose ?? other.Purpose, Environment = Environment ?? other.Environment,
        };
        job._origins = new FactOrigin[Names.Length];
        for (int fact = 0; fact < Names.Length; fact++)
            job._origins[fact] = (ValueAt(fact) is null ? other : this).OriginAt(fact);
        return job;
    }

    /// <summary>The facts that are set, in one line of visible ASCII: all else stands as <c>\uXXXX</c>. Behind one that a variable of the runtime or a claim of the proof said stands which; the others are the job's own word.</summary>
    public override string ToString()
    {
        string[] facts = [.. Enumerable.Range(0, Names.Length).Where(fact => ValueAt(fact) is not null)
            .Select(fact => $"{Names[fact].ToLowerInvariant()} {AuditText.Shown(ValueAt(fact)!, AuditText.Longest)}{(OriginAt(fact).Short is { } origin ? $" ({origin})" : "")}")];
        return facts.Length == 0 ? "unnamed job" : string.Join(", ", facts);
    }

    private static int IndexOf(JobFacts fact) => fact switch { JobFacts.Pipeline => 0, JobFacts.Run => 1, JobFacts.Task => 2, _ => 5 };

    private string? ValueAt(int fact) => fact switch { 0 => Pipeline, 1 => Run, 2 => Task, 3 => Dataset, 4 => Purpose, _ => Environment };

    private FactOrigin OriginAt(int fact) => _origins?[fact] ?? SaidBy;
}
