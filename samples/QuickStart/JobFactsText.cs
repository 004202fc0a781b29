using Nhi.TokenExchange;

namespace QuickStart;

/// <summary>What a policy sees of the job that asks, fact by fact, each with where it was said.</summary>
internal static class JobFactsText
{
    /// <summary>The facts that the proof attests: its issuer vouches for them.</summary>
    public static string AttestedText(this AccessRequest request) => Text(request, isAttested: true);

    /// <summary>The facts that code, configuration or a variable say, and no proof.</summary>
    public static string AssertedText(this AccessRequest request) => Text(request, isAttested: false);

    private static string Text(AccessRequest request, bool isAttested)
    {
        JobContext job = request.Job;
        (string Name, string? Value, JobFacts Fact)[] facts =
        [
            (nameof(job.Pipeline), job.Pipeline, JobFacts.Pipeline), (nameof(job.Run), job.Run, JobFacts.Run), (nameof(job.Task), job.Task, JobFacts.Task),
            (nameof(job.Environment), job.Environment, JobFacts.Environment), (nameof(job.Dataset), job.Dataset, JobFacts.None), (nameof(job.Purpose), job.Purpose, JobFacts.None),
        ];
        return string.Join(", ", facts.Where(fact => fact.Value is not null && (request.AttestedFacts & fact.Fact) != JobFacts.None == isAttested)
            .Select(fact => $"{fact.Name.ToLowerInvariant()} {fact.Value} ({job.Origins[fact.Name]})"));
    }
}
