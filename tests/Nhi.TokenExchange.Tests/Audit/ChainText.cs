using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Nhi.TokenExchange.Tests;

/// <summary>The lines of an audit file, from the description of their format alone.</summary>
internal static class ChainText
{
    public static string Line(long sequence, string previous, string json)
    {
        string hashed = string.Create(CultureInfo.InvariantCulture, $"{{\"seq\":{sequence},\"prev\":\"{previous}\",\"event\":{json}");
        return $"{hashed},\"hash\":\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("nhi-audit-line-v1\n" + hashed)))}\"}}";
    }

    /// <summary>The same lines with new numbers and hashes, as who may write the file can make them.</summary>
    public static List<string> ComputedAnew(IEnumerable<string> lines, long first = 1, string? previous = null)
    {
        previous ??= new string('0', 64);
        var anew = new List<string>();
        foreach (string line in lines)
        {
            int start = line.IndexOf("\"event\":", StringComparison.Ordinal) + 8;
            anew.Add(Line(first + anew.Count, previous, line[start..^75]));
            previous = anew[^1][^66..^2];
        }
        return anew;
    }
}
