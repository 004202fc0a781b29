using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>Looks for chains of earlier processes that have no end: what was killed, or lost its disk. They are told of, and left as they are: a tail that a crash tore is evidence.</summary>
internal static class UnfinishedTrails
{
    private const int MostLookedAt = 1000;
    private const int MostNamed = 5;

    // The line that ends a chain is shorter.
    private const int TailLength = 512;

    /// <summary>Tells the log of those that are there, of the newest thousand.</summary>
    public static void Tell(AuditFolder folder, JobContext job, ILogger logger)
    {
        try
        {
            string[] unfinished = [.. folder.LastParts(job).Take(MostLookedAt).Where(files => files.All(IsUnfinished)).Select(files => files[^1])];
            if (unfinished.Length > 0)
                logger.AuditUnfinished(job, unfinished.Length, string.Join(", ", unfinished.Take(MostNamed).Select(path => AuditText.Shown(Path.GetFileName(path)))), ErrorCodes.AuditUnfinished);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            logger.AuditNotLookedThrough(job, ExceptionText.Clean(folder.Path, 200), failed.GetType().Name);
        }
    }

    // What is locked is written yet.
    private static bool IsUnfinished(string path)
    {
        try
        {
            using SafeFileHandle file = UnixOpen.IsSupported ? UnixOpen.ToRead(path, followLink: false) : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (UnixFile.Of(file) is { IsRegular: false } || (UnixOpen.IsSupported && !UnixOpen.TryLockToLook(file)))
                return false;
            byte[] tail = new byte[TailLength];
            long length = RandomAccess.GetLength(file);
            int read = RandomAccess.Read(file, tail, Math.Max(0, length - tail.Length));
            string text = Encoding.Latin1.GetString(tail, 0, read);
            return !text.EndsWith("\"}\n", StringComparison.Ordinal) || !text[..^1].Split('\n')[^1].Contains(",\"event\":{\"kind\":\"end\",", StringComparison.Ordinal);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return false;   // gone, in use, or no file of ours: the verifier tells
        }
    }
}
