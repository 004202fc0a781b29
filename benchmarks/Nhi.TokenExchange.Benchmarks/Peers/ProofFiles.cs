namespace Nhi.TokenExchange;

/// <summary>Proofs for SDKs that read them from a file: in a folder of this process alone, deleted when it ends.</summary>
internal static class ProofFiles
{
    private static readonly string Folder = CreateFolder();

    /// <returns>The file's path.</returns>
    public static string Write(string name, string proof)
    {
        string path = Path.Combine(Folder, name);
        File.WriteAllText(path, proof);
        return path;
    }

    private static string CreateFolder()
    {
        string folder = Directory.CreateTempSubdirectory("nhi-benchmark-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    }
}
