namespace Nhi.TokenExchange;

/// <summary>What the journals of jobs know: which handles are of credentials that they have held.</summary>
internal static class JournaledHandles
{
    /// <summary>Whether a journal holds a credential of a target by that handle. One that can't be read names none; the job's start tells of it.</summary>
    /// <param name="folder">The folder of journals; null or missing: there are none.</param>
    /// <param name="target">The target.</param>
    /// <param name="handle">The handle.</param>
    public static bool Has(string? folder, string target, string handle)
    {
        if (!Directory.Exists(folder))
            return false;
        JournalFolder opened = JournalFolder.Open(folder, Disk.System);
        return opened.Files().Any(file => Holds(opened, file, target, handle));
    }

    private static bool Holds(JournalFolder folder, string path, string target, string handle)
    {
        try
        {
            using JournalFile? file = JournalFile.Look(folder, path);
            return file is not null && JournalContent.Read(file).Open.Values.Any(entry => entry.Target == target && entry.Handle == handle);
        }
        catch (TokenExchangeException)
        {
            return false;
        }
    }
}
