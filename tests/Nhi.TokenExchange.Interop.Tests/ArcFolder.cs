namespace Nhi.TokenExchange;

/// <summary>The folder of Azure Arc's agent, from which alone SDKs take key files. Made for a test where it is missing, and then removed again.</summary>
internal sealed class ArcFolder : IDisposable
{
    private readonly string? _made;

    private ArcFolder(string? made) => _made = made;

    /// <summary>Null for other hosts. Where the folder can't be written to, the test is skipped, and says so; under CI it fails.</summary>
    public static ArcFolder? For(ManagedIdentityHost host, IdentityEmulator emulator)
    {
        if (host != ManagedIdentityHost.AzureArc)
            return null;
        string folder = emulator.ManagedIdentity.ArcTokenFolder;
        string? made = null;
        for (string? above = folder; above is not null && !Directory.Exists(above); above = Path.GetDirectoryName(above))
            made = above;   // the highest that is not there
        try
        {
            Directory.CreateDirectory(folder);
            string probe = Path.Combine(folder, $"{Guid.NewGuid():N}.probe");
            File.WriteAllText(probe, "");
            File.Delete(probe);
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or IOException)
        {
            new ArcFolder(made).Dispose();
            NodeProgram.Missing($"this account can't write to {folder}, where the agent of Azure Arc keeps its key files");
        }
        return new ArcFolder(made);
    }

    public void Dispose()
    {
        if (_made is not null && Directory.Exists(_made))
            Directory.Delete(_made, recursive: true);
    }
}
