using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nhi.TokenExchange;

/// <summary>Reads certificate authorities from the PEM file that the setting <c>TrustRoots</c> names.</summary>
internal static class TrustRootsFile
{
    private const string Setting = "TrustRoots";

    // The bundle of a whole operating system has a quarter of that.
    private const int MaxBytes = 1 << 20;

    /// <summary>The authorities; null if none are named, or an error was noted.</summary>
    public static AdditionalRoots? Read(SettingsReader settings, ConfigurationErrors errors)
    {
        int before = errors.Count;
        if (settings.OptionalText(Setting) is null || settings.FilePath(Setting) is not { } path || errors.Count > before)
            return null;
        string file = $"names the file '{ExceptionText.Clean(path, 200)}'";
        try
        {
            if (FlawOfFile(path) is { } flaw)
            {
                settings.Error(Setting, $"{file}, which {flaw}", "Name a file of PEM certificates that its owner alone can write.");
                return null;
            }
            string text = File.ReadAllText(path);
            if (text.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            {
                errors.Add($"{settings.Path}:{Setting}", $"{file}, which holds a private key", "Write a file with the certificates of authorities alone, and replace that key if anybody else can read the file.", ErrorCodes.StaticSecret);
                return null;
            }
            using var held = new Certificates();
            held.Found.ImportFromPem(text);
            if (held.Found.Count == 0)
                settings.Error(Setting, $"{file}, which has no certificate in PEM", "Write the authorities' certificates there, each between BEGIN CERTIFICATE and END CERTIFICATE.");
            else if (AdditionalRoots.NoAuthorityIn(held.Found) is { } other)
                settings.Error(Setting, $"{file}, whose certificate '{ExceptionText.Clean(other.Subject)}' is no certificate authority (RFC 5280 §4.2.1.9)", "Give the authority's, not the server's.");
            else
                return new AdditionalRoots(held.Found);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            settings.Error(Setting, $"{file}, which can't be read ({unreadable.GetType().Name})", "Check the path, the mount and the rights of the job's user.");
        }
        catch (CryptographicException)
        {
            settings.Error(Setting, $"{file}, in which a certificate is damaged", "Export it again, in PEM.");
        }
        return null;
    }

    // Who may write the file says whom the job trusts. On Windows the folder's access list rules.
    private static string? FlawOfFile(string path)
    {
        if (UnixFile.IsSupported && UnixFile.At(path) is { } facts)
        {
            if (!facts.IsRegular)
                return $"is {facts.Kind}, not a regular file";
            if (facts.IsWritableByOthers)
                return $"can be written by others than its owner (mode {facts.Octal})";
            if (facts.Owner != 0 && facts.Owner != UnixFile.CurrentUser)
                return string.Create(CultureInfo.InvariantCulture, $"belongs to user {facts.Owner}, who is neither the job's nor root");
        }
        return new FileInfo(path).Length > MaxBytes ? string.Create(CultureInfo.InvariantCulture, $"has more than {MaxBytes} bytes") : null;
    }

    private sealed class Certificates : IDisposable
    {
        public X509Certificate2Collection Found { get; } = [];

        public void Dispose()
        {
            foreach (X509Certificate2 certificate in Found)
                certificate.Dispose();
        }
    }
}
