namespace Nhi.TokenExchange;

/// <summary>Facts of a job that a platform can attest in its proof. Of others, such as the data set, no platform knows anything: code or configuration say them.</summary>
[Flags]
public enum JobFacts
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary><see cref="JobContext.Pipeline"/>.</summary>
    Pipeline = 1,

    /// <summary><see cref="JobContext.Run"/>.</summary>
    Run = 2,

    /// <summary><see cref="JobContext.Task"/>.</summary>
    Task = 4,

    /// <summary><see cref="JobContext.Environment"/>.</summary>
    Environment = 8,
}
