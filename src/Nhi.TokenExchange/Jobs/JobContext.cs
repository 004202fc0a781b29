namespace Nhi.TokenExchange;

/// <summary>The boundary of every credential: which pipeline, run and task, on which data set, for what purpose. Goes to policy and audit.</summary>
/// <remarks>All of it is the configuration's word, but for what the proof attests: <see cref="AccessRequest.AttestedFacts"/>, <see cref="TargetOptions.AttestedFacts"/>.</remarks>
public sealed class JobContext
{
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

    /// <summary>The facts of this one, and where it says nothing those of the other.</summary>
    internal JobContext Over(JobContext other) => new()
    {
        Pipeline = Pipeline ?? other.Pipeline, Run = Run ?? other.Run, Task = Task ?? other.Task,
        Dataset = Dataset ?? other.Dataset, Purpose = Purpose ?? other.Purpose, Environment = Environment ?? other.Environment,
    };

    /// <summary>The facts that are set, in one line.</summary>
    public override string ToString()
    {
        string[] facts = [.. new (string Name, string? Value)[]
        {
            ("pipeline", Pipeline), ("run", Run), ("task", Task), ("dataset", Dataset), ("purpose", Purpose), ("environment", Environment),
        }.Where(fact => fact.Value is not null).Select(fact => $"{fact.Name} {fact.Value}")];
        return facts.Length == 0 ? "unnamed job" : string.Join(", ", facts);
    }
}
