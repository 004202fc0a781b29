namespace Nhi.TokenExchange;

/// <summary>What doctor found at one stage.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Verdict">What it says of it.</param>
/// <param name="Said">What it found. Holds no secret.</param>
/// <param name="Took">How long that took; null where nothing was waited for.</param>
/// <param name="Code">The error's code.</param>
/// <param name="Remedy">What to do.</param>
/// <param name="ExitCode">Of a failure: what every command ends with for it.</param>
internal sealed record StageResult(Stage Stage, Verdict Verdict, string Said, TimeSpan? Took = null, string? Code = null, string? Remedy = null, int ExitCode = ExitCodes.Refused)
{
    public static StageResult Ok(Stage stage, string said, TimeSpan? took = null) => new(stage, Verdict.Ok, said, took);

    public static StageResult Warning(Stage stage, string said, string? remedy = null, TimeSpan? took = null) => new(stage, Verdict.Warning, said, took, Remedy: remedy);

    /// <summary>A failure, in the words of the exception that a job would meet.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="error">The exception.</param>
    /// <param name="took">How long it took.</param>
    /// <param name="more">What doctor knows beside it.</param>
    public static StageResult Failed(Stage stage, TokenExchangeException error, TimeSpan? took = null, string? more = null)
    {
        // The original's words: that a failure is remembered for a moment is nothing to whoever looks for its cause.
        string correlation = error.CorrelationId is null ? "" : $" [correlation id {error.CorrelationId}]";
        return new StageResult(stage, Verdict.Failed, $"{error.Original.Detail}{correlation}{(more is null ? "" : $"{Environment.NewLine}{more}")}", took, error.Code, error.Hint, ExitCodes.Of(error.Original));
    }
}
