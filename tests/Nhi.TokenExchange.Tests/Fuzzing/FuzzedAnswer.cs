using System.Net;
using System.Text;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>An HTTP answer as a text: a line with its status, header lines, an empty line, the body.</summary>
internal static class FuzzedAnswer
{
    private const string Between = "\n---\n";

    /// <summary>The answers in a text: to the first request, to the second, and so on; the last to all that follow.</summary>
    public static string[] Split(string text) => text.Split(Between, 4);

    /// <summary>The body of an answer.</summary>
    public static byte[] BodyOf(string text, string proof = "")
    {
        int end = text.IndexOf("\n\n", StringComparison.Ordinal);
        return Encoding.Latin1.GetBytes(end < 0 ? "" : FuzzInput.Filled(text[(end + 2)..], proof));
    }

    /// <summary>Makes an answer; what no wire could bring is left out.</summary>
    public static HttpResponseMessage Of(string text, string proof = "")
    {
        int end = text.IndexOf("\n\n", StringComparison.Ordinal);
        string[] lines = (end < 0 ? text : text[..end]).Split('\n');
        int status = int.TryParse(lines[0].AsSpan(0, Math.Min(3, lines[0].Length)), System.Globalization.NumberStyles.None, null, out int said) && said is >= 200 and <= 599 ? said : 200;
        var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent(BodyOf(text, proof)) };
        foreach (string line in lines.Skip(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                continue;
            string value = string.Concat(FuzzInput.Filled(line[(colon + 1)..].Trim(), proof).Where(c => c is not ('\r' or '\0')));
            if (!response.Headers.TryAddWithoutValidation(line[..colon], value))
                response.Content.Headers.TryAddWithoutValidation(line[..colon], value);
        }
        return response;
    }
}
