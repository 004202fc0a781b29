using System.Collections;
using System.CommandLine;
using Microsoft.Extensions.Configuration;

namespace Nhi.TokenExchange;

/// <summary>The settings of a job, read as its own program reads them: the file, the one of its environment beside it, then variables.</summary>
internal sealed class JobSettings
{
    private static readonly string[] EnvironmentNames = ["DOTNET_ENVIRONMENT", "ASPNETCORE_ENVIRONMENT"];

    private readonly IConfigurationSection _section;

    private JobSettings(IConfigurationSection section, IReadOnlyList<string> files)
    {
        _section = section;
        Files = files;
    }

    /// <summary><c>--config</c>.</summary>
    public static Option<FileInfo> ConfigOption { get; } = new("--config", "-c")
    {
        Description = "The job's settings; appsettings.{environment}.json beside it and environment variables are read over it, as the job does.",
        DefaultValueFactory = _ => new FileInfo("appsettings.json"),
    };

    /// <summary><c>--section</c>.</summary>
    public static Option<string> SectionOption { get; } = new("--section")
    {
        Description = "The section of the settings.",
        DefaultValueFactory = _ => "TokenExchange",
    };

    /// <summary>The files that were read.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The folder of journals that the settings name; null if they name none.</summary>
    public string? Journal => _section["Journal"];

    /// <summary>The kill switch that the settings name; null if they name none.</summary>
    public string? KillSwitch => _section["KillSwitch"];

    /// <summary>A setting of a target; null if it is not there.</summary>
    public string? OfTarget(string target, string name) => _section[$"Targets:{target}:{name}"];

    /// <summary>Adds to a command what names its job.</summary>
    public static void AddTo(Command command)
    {
        command.Options.Add(ConfigOption);
        command.Options.Add(SectionOption);
    }

    /// <summary>Reads the settings that a command line names.</summary>
    /// <exception cref="UsageException">The file is not there.</exception>
    /// <exception cref="TokenExchangeException">It is no JSON.</exception>
    public static JobSettings Read(ParseResult line) => Read(line.GetRequiredValue(ConfigOption), line.GetRequiredValue(SectionOption));

    /// <summary>As the other one.</summary>
    public static JobSettings Read(FileInfo config, string section)
    {
        if (!config.Exists)
            throw new UsageException($"--config: there is no file '{ExceptionText.Clean(config.FullName, 300)}'. Name the job's appsettings.json.");
        List<string> files = [config.FullName];
        string? environment = EnvironmentNames.Select(Environment.GetEnvironmentVariable).FirstOrDefault(name => !string.IsNullOrEmpty(name));
        string folder = config.DirectoryName!;
        if (environment is not null && environment.AsSpan().IndexOfAny(Path.GetInvalidFileNameChars()) < 0)
            files.Add(Path.Combine(folder, $"{Path.GetFileNameWithoutExtension(config.Name)}.{environment}{config.Extension}"));
        var builder = new ConfigurationBuilder();
        foreach (string file in files)
            builder.AddJsonFile(file, optional: file != config.FullName, reloadOnChange: false);
        IConfigurationRoot root = Build(builder.AddInMemoryCollection(VariablesOf(section)));
        string policy = $"{section}:Policy:File";
        // "Beside the program" is beside its settings, here.
        if (root[policy] is { Length: > 0 } path && !Path.IsPathFullyQualified(path) && path[0] is not ('~' or '/' or '\\'))
            root[policy] = Path.Join(folder, path);
        return new JobSettings(root.GetSection(section), [.. files.Where(File.Exists)]);
    }

    /// <summary>Declares the job: its settings, and all kinds that there are packages for.</summary>
    public void Compose(TokenExchangeBuilder builder) => builder.Configuration(_section).Azure().PostgreSql();

    // As a host reads them: two underscores for a colon, in any case.
    private static IEnumerable<KeyValuePair<string, string?>> VariablesOf(string section) =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(variable => KeyValuePair.Create(((string)variable.Key).Replace("__", ":", StringComparison.Ordinal), (string?)variable.Value))
            .Where(variable => variable.Key.StartsWith($"{section}:", StringComparison.OrdinalIgnoreCase)).DistinctBy(variable => variable.Key, StringComparer.OrdinalIgnoreCase);

    private static IConfigurationRoot Build(IConfigurationBuilder builder)
    {
        try
        {
            return builder.Build();
        }
        catch (Exception wrong) when (wrong is InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new TokenExchangeException(ErrorCodes.InvalidConfiguration, ExchangeStage.Configure, ExceptionText.Clean(wrong.Message == wrong.GetBaseException().Message ? wrong.Message : $"{wrong.Message} {wrong.GetBaseException().Message}", 500))
            {
                Hint = "Correct the file that is named.",
            };
        }
    }
}
