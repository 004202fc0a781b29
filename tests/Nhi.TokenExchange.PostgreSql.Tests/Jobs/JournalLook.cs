using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange.Tests;

/// <summary>What stands in a folder of journals, looked at from outside while a process writes there.</summary>
internal static class JournalLook
{
    public static int Lines(string folder) => Texts(folder).Sum(text => text.Count(c => c == '\n'));

    /// <summary>What the last whole line of the longest journal tells.</summary>
    public static string LastStep(string folder)
    {
        string[] lines = Texts(folder).MaxBy(text => text.Length)?.Split('\n') ?? [];
        if (lines.Length < 2)
            return "no journal";
        JsonNode line = JsonNode.Parse(lines[^2])!;
        bool isLogin = line["target"]?.GetValue<string>().StartsWith("login-", StringComparison.Ordinal) == true;   // its end is another clock's, and always uncertain
        return line["kind"]!.GetValue<string>() switch
        {
            "journal" => "the job began",
            "entry" when line["fingerprint"] is null => line["handle"] is null ? "an exchange is about to be sent" : "a login's name is announced",
            "entry" => line["uncertain"] is null || isLogin ? "a credential is there" : "a renewal is about to be sent",
            "ended" => line["end"]!.GetValue<string>() == "Renewed" ? "a credential was renewed" : "a credential has ended",
            var kind => kind,
        };
    }

    private static string[] Texts(string folder) => Directory.Exists(folder) ? [.. Directory.GetFiles(folder).Select(Text)] : [];

    // The runtime locks what it opens, and a journal is locked by its writer: neither may see the other.
    private static string Text(string file)
    {
        const int ReadOnly = 0;
        using var handle = new SafeFileHandle(open(Encoding.UTF8.GetBytes(file + '\0'), ReadOnly), ownsHandle: true);
        if (handle.IsInvalid)
            return "";   // its writer has taken it away
        byte[] bytes = new byte[RandomAccess.GetLength(handle)];
        return Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(handle, bytes, 0));
    }

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int open(byte[] path, int flags);
}
