using System.Security.Cryptography;

namespace Nhi.TokenExchange;

/// <summary>Azure Arc's proof that a caller may read the agent's folder: one key file per challenge, good for one request. Safe to use from any number of threads.</summary>
internal sealed class ArcKeyFiles(Func<string> folder, string canary)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _open = new(StringComparer.Ordinal);

    /// <summary>Writes a new key file.</summary>
    /// <returns>Its path.</returns>
    public string Challenge()
    {
        string secret = $"{canary}-{RandomNumberGenerator.GetHexString(48, lowercase: true)}";
        string path = Path.Combine(folder(), $"{Guid.NewGuid():N}.key");
        Directory.CreateDirectory(folder());
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var writer = new StreamWriter(path, options))
            writer.Write(secret);
        lock (_gate)
            _open.Add(secret, path);
        return path;
    }

    /// <summary>Whether the text is that of an open challenge; it is closed and its file deleted.</summary>
    public bool Redeem(string secret)
    {
        string? path;
        lock (_gate)
        {
            if (!_open.Remove(secret, out path))
                return false;
        }

        File.Delete(path);
        return true;
    }

    public void DeleteAll()
    {
        lock (_gate)
        {
            // Who cleared the folder meanwhile did no wrong.
            foreach (string path in _open.Values.Where(File.Exists))
                File.Delete(path);
            _open.Clear();
        }
    }
}
