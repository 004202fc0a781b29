using System.Buffers;
using System.Text;

namespace Nhi.TokenExchange.Soak;

/// <summary>5. No secret is anywhere but where it belongs: not in logs, traces, metrics, audit, exceptions, reports, console, temporary files, arguments or environment, in no form.</summary>
internal sealed class NoSecretSaid() : SoakInvariant(5, "no secret said")
{
    private const int Piece = 1024 * 1024;

    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        EmulatorCanaries canaries = evidence.Canaries;
        var forms = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string kind, string canary) in new[]
        {
            ("a proof", canaries.Proof), ("the CI's request token", canaries.RequestToken), ("an access token of the authorization server", canaries.Authorization),
            ("an access token of the workspace", canaries.Databricks), ("an access token of Entra", canaries.Entra), ("a token or secret of Vault", canaries.Vault),
        })
        {
            foreach ((string form, string text) in FormsOf(canary))
            {
                forms[text] = $"{kind}, {form}";
                // What was encoded may have been turned round or written in UTF-16 after that: a JWT holds its canary in base64url already.
                forms[new string([.. text.Reverse()])] = $"{kind}, {form}, reversed";
                forms[string.Join('\0', text.ToCharArray())] = $"{kind}, {form}, in UTF-16";
            }
        }

        var searched = SearchValues.Create([.. forms.Keys], StringComparison.Ordinal);
        int longest = forms.Keys.Max(text => text.Length);
        foreach (string file in Directory.EnumerateFiles(evidence.Folder, "*", SearchOption.AllDirectories))
        {
            if (FindIn(file, searched, longest) is { } found)
                yield return Breach($"{Path.GetRelativePath(evidence.Folder, file)} holds {forms.First(form => found.StartsWith(form.Key, StringComparison.Ordinal)).Value}");
        }
    }

    /// <summary>The forms a leak may have, with each byte of a file as one character.</summary>
    public static IEnumerable<(string Form, string Text)> FormsOf(string secret)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(secret);
        yield return ("as it is", secret);
        for (int offset = 0; offset < 3; offset++)
        {
            // With other bytes around it, the first and the last characters of its base64 are not the secret's alone.
            string encoded = Convert.ToBase64String([.. new byte[offset], .. bytes]).TrimEnd('=');
            string own = encoded[(offset == 0 ? 0 : offset + 1)..^2];
            yield return ($"in base64 at offset {offset}", own);
            yield return ($"in base64url at offset {offset}", own.Replace('+', '-').Replace('/', '_'));
        }

        yield return ("in hexadecimal", Convert.ToHexStringLower(bytes));
        yield return ("in upper hexadecimal", Convert.ToHexString(bytes));
        yield return ("percent-encoded", string.Concat(bytes.Select(b => $"%{b:X2}")));
        yield return ("percent-encoded in small letters", string.Concat(bytes.Select(b => $"%{b:x2}")));
        yield return ("JSON-escaped", string.Concat(secret.Select(c => $"\\u{(int)c:x4}")));
    }

    private static string? FindIn(string file, SearchValues<string> searched, int longest)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        byte[] buffer = new byte[Piece + longest];
        int kept = 0;
        while (true)
        {
            int read = stream.ReadAtLeast(buffer.AsSpan(kept, buffer.Length - kept), buffer.Length - kept, throwOnEndOfStream: false);
            string text = Encoding.Latin1.GetString(buffer, 0, kept + read);
            int at = text.AsSpan().IndexOfAny(searched);
            if (at >= 0)
                return text.Substring(at, Math.Min(longest, text.Length - at));
            if (kept + read < buffer.Length)
                return null;
            kept = longest;
            buffer.AsSpan(buffer.Length - longest).CopyTo(buffer);
        }
    }
}
