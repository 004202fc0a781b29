namespace Nhi.TokenExchange;

/// <summary>The command line that starts this program again, for programs that call helpers.</summary>
internal static class OwnCommand
{
    /// <summary>The words that it begins with: the program of a tool, or <c>dotnet</c> and the assembly.</summary>
    public static string[] Words
    {
        get
        {
            string program = Environment.ProcessPath!;
            return Path.GetFileNameWithoutExtension(program) == "dotnet" ? [program, Path.GetFullPath(Environment.GetCommandLineArgs()[0])] : [program];
        }
    }
}
