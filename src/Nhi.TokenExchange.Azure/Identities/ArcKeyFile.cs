namespace Nhi.TokenExchange;

/// <summary>Looks at the key file that the agent of Azure Arc names, before MSAL reads it by the same rules: MSAL says one sentence for all that may be wrong.</summary>
/// <remarks>learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication. The path comes from outside and is not quoted.</remarks>
internal static class ArcKeyFile
{
    private const int MaxBytes = 4096;
    private const string Extension = ".key";

    // Null: on other systems there is no agent, and MSAL says so.
    private static readonly string? AgentsFolder =
        OperatingSystem.IsLinux() ? "/var/opt/azcmagent/tokens/"
        : OperatingSystem.IsWindows() ? Environment.ExpandEnvironmentVariables(@"%ProgramData%\AzureConnectedMachineAgent\Tokens\")
        : null;

    /// <exception cref="IdentityUnavailableException">It is none of the agent's, or can't be read.</exception>
    public static void Check(MetadataHost host, string? path)
    {
        if (AgentsFolder is { } folder && FlawOf(path, folder) is { } flaw)
            throw MetadataRefusal.KeyFile(host, flaw, folder);
    }

    /// <summary>Says what is wrong with a key file; null if nothing is.</summary>
    /// <param name="path">As the challenge names it; null if it names none.</param>
    /// <param name="folder">Where the agent's files are, with a separator at its end.</param>
    public static string? FlawOf(string? path, string folder)
    {
        if (string.IsNullOrEmpty(path))
            return "names none: its answer has no challenge of the form Basic realm={path}";
        if (path.Split('/', '\\').Contains(".."))
            return "the path that it names has '..' in it";
        if (!path.StartsWith(folder, StringComparison.Ordinal))
            return "the path that it names is not in the agent's folder";
        if (path.AsSpan(folder.Length).ContainsAny(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar))
            return "the path that it names is in a sub-folder of the agent's";
        if (!path.EndsWith(Extension, StringComparison.Ordinal) || path.Length == folder.Length + Extension.Length)
            return "the file that it names does not end in .key";
        return FlawOfContent(path);
    }

    private static string? FlawOfContent(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            return file.Length > MaxBytes ? $"the file that it names has {file.Length} bytes; at most {MaxBytes} are read" : null;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return "the file that it names is not there, or this process may not look into its folder";
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            return $"this process can't read the file that it names ({exception.GetType().Name})";
        }
    }
}
