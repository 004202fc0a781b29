namespace Nhi.TokenExchange.Soak;

/// <summary>What somebody does to the trails of others when all jobs are over.</summary>
internal static class TrailTampering
{
    public static void ChangeOneLine(string folder)
    {
        string file = FirstOf(folder);
        string[] lines = File.ReadAllLines(file);
        lines[lines.Length / 2] = lines[lines.Length / 2].Replace("soak", "soap", StringComparison.Ordinal);
        File.WriteAllLines(file, lines);
    }

    public static void CutTheEnd(string folder)
    {
        string file = FirstOf(folder);
        File.WriteAllLines(file, File.ReadAllLines(file)[..^2]);
    }

    public static void RemoveOne(string folder) => File.Delete(FirstOf(folder));

    private static string FirstOf(string folder) => Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).First();
}
