namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>Programs of others under <c>nhi exec</c>, and once more in the same environment when the job is over.</summary>
internal static class ExecClients
{
    /// <param name="job">The job; its settings are written.</param>
    /// <param name="options">Which targets the program may have, and how.</param>
    /// <param name="program">The program and its arguments.</param>
    /// <param name="variables">Of the environment of nhi.</param>
    /// <returns>The run within the job; and with what the program ended after it, and what it said.</returns>
    public static async Task<(ToolRun Within, int Code, string After)> RunAsync(DoctoredJob job, string[] options, string[] program, IReadOnlyDictionary<string, string>? variables = null)
    {
        string environment = job.PathOf("environment");
        ToolRun within = await ToolRun.ProgramAsync(
            variables ?? new Dictionary<string, string>(), ["exec", "--config", job.WriteSettings(), .. options, "--", "sh", "-c", $"env -0 > {environment}; exec {string.Join(' ', program.Select(word => $"'{word}'"))}"]);
        Dictionary<string, string> same = (await File.ReadAllTextAsync(environment)).Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split('=', 2)).ToDictionary(one => one[0], one => one[1]);
        (int code, string after) = await Programs.RunAsync(program[0], same, program[1..]);
        return (within, code, after);
    }

    /// <summary>Skips the test where a program is not installed.</summary>
    public static void Require(string program)
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program))))
            Assert.Ignore($"Skipped: {program} is not on the path.");
    }
}
