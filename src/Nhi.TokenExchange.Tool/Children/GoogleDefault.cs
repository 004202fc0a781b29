namespace Nhi.TokenExchange;

/// <summary>The target that is the application default credentials of Google Cloud.</summary>
/// <param name="Target">A target that gives bearer tokens.</param>
/// <param name="Project">The project that clients are told of; null: none.</param>
internal sealed record GoogleDefault(string Target, string? Project)
{
    /// <exception cref="UsageException">It has another form.</exception>
    public static GoogleDefault Read(string value) => value.Split('=') switch
    {
        [{ Length: > 0 } target] => new GoogleDefault(target, null),
        [{ Length: > 0 } target, { Length: > 0 } project] => new GoogleDefault(target, project),
        _ => throw new UsageException($"--google-adc: '{ExceptionText.Clean(value)}' has another form than bucket=my-project."),
    };
}
