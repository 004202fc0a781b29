using System.Text;

namespace Nhi.TokenExchange.Tests;

/// <summary>Looks for a secret in what was said, in every form that a leak may have.</summary>
internal static class Canary
{
    /// <summary>The forms of a secret: as it is, base64 at three offsets, hexadecimal, percent-encoded, UTF-16, reversed.</summary>
    public static IEnumerable<(string Form, string Text)> Forms(string secret)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(secret);
        yield return ("raw", secret);
        yield return ("reversed", new string([.. secret.Reverse()]));
        for (int offset = 0; offset < 3; offset++)
        {
            // With other bytes around it, the first and the last characters of its base64 are not the secret's alone.
            string encoded = Convert.ToBase64String([.. new byte[offset], .. bytes]).TrimEnd('=');
            string own = encoded[(offset == 0 ? 0 : offset + 1)..^2];
            yield return ($"base64 at {offset}", own);
            yield return ($"base64url at {offset}", own.Replace('+', '-').Replace('/', '_'));
        }
        yield return ("hex", Convert.ToHexStringLower(bytes));
        yield return ("upper hex", Convert.ToHexString(bytes));
        yield return ("percent", string.Concat(bytes.Select(b => $"%{b:X2}")));
        yield return ("percent in small letters", string.Concat(bytes.Select(b => $"%{b:x2}")));
        yield return ("UTF-16", string.Join('\0', secret.ToCharArray()));
    }

    /// <summary>The forms that are in a text.</summary>
    public static IReadOnlyList<string> FindIn(string text, string secret) =>
        [.. Forms(secret).Where(form => text.Contains(form.Text, StringComparison.Ordinal)).Select(form => form.Form).Distinct()];
}
