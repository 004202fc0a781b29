namespace Nhi.TokenExchange;

/// <summary>A key-value secrets engine of the emulated Vault: keeps static secrets, by version 2 of the engine each of their versions.</summary>
/// <remarks>Pages: "KV Secrets Engine - Version 2 (API)", "KV Secrets Engine - Version 1 (API)". Safe to use from any number of threads.</remarks>
public sealed class VaultKeyValue
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<VaultKeyValueVersion>> _secrets = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;

    internal VaultKeyValue(string mount, bool hasVersions, TimeProvider time)
    {
        Mount = mount;
        HasVersions = hasVersions;
        _time = time;
    }

    /// <summary>Where it is mounted.</summary>
    public string Mount { get; }

    /// <summary>Whether it is version 2 of the engine.</summary>
    public bool HasVersions { get; }

    /// <summary>Stores the next version of a secret; by version 1 of the engine, in the place of the last.</summary>
    /// <param name="path">Its path below the mount.</param>
    /// <param name="fields">Its fields.</param>
    /// <returns>The number of the version.</returns>
    public int Put(string path, params ReadOnlySpan<(string Name, string Value)> fields)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, string value) in fields)
            values[name] = value;
        return Put(path, values, deletedAt: null);
    }

    /// <summary>As <see cref="Put(string, ReadOnlySpan{ValueTuple{string, string}})"/>, for a while (<c>delete_version_after</c>).</summary>
    /// <param name="path">Its path below the mount.</param>
    /// <param name="life">How long it is there.</param>
    /// <param name="fields">Its fields.</param>
    /// <returns>The number of the version.</returns>
    public int PutFor(string path, TimeSpan life, params ReadOnlySpan<(string Name, string Value)> fields)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, string value) in fields)
            values[name] = value;
        return Put(path, values, _time.GetUtcNow() + life);
    }

    /// <summary>Deletes a version, which can be undone; the newest if none is named. By version 1 of the engine the secret is gone.</summary>
    /// <param name="path">Its path below the mount.</param>
    /// <param name="version">Which; null: the newest.</param>
    public void Delete(string path, int? version = null)
    {
        lock (_gate)
        {
            if (!HasVersions)
                _secrets.Remove(path);
            else if (Version(path, version) is { IsDestroyed: false } found)
                found.DeletedAt = _time.GetUtcNow();
        }
    }

    /// <summary>Undoes <see cref="Delete"/>.</summary>
    /// <param name="path">Its path below the mount.</param>
    /// <param name="version">Which.</param>
    public void Undelete(string path, int version)
    {
        lock (_gate)
        {
            if (Version(path, version) is { } found)
                found.DeletedAt = null;
        }
    }

    /// <summary>Destroys what a version holds, for good.</summary>
    /// <param name="path">Its path below the mount.</param>
    /// <param name="version">Which.</param>
    public void Destroy(string path, int version)
    {
        lock (_gate)
        {
            if (Version(path, version) is { } found)
                found.Destroy();
        }
    }

    internal int Put(string path, IReadOnlyDictionary<string, string> fields, DateTimeOffset? deletedAt)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        lock (_gate)
        {
            if (!_secrets.TryGetValue(path, out List<VaultKeyValueVersion>? versions) || !HasVersions)
                _secrets[path] = versions = [];
            versions.Add(new VaultKeyValueVersion(versions.Count + 1, fields, _time.GetUtcNow()) { DeletedAt = deletedAt });
            return versions.Count;
        }
    }

    /// <summary>The number of the newest version; 0 if there is none.</summary>
    internal int Newest(string path)
    {
        lock (_gate)
            return _secrets.TryGetValue(path, out List<VaultKeyValueVersion>? versions) ? versions.Count : 0;
    }

    /// <summary>A version as it is now; null if there is none.</summary>
    internal VaultKeyValueVersion? Find(string path, int? version)
    {
        lock (_gate)
            return Version(path, version)?.AsOf(_time.GetUtcNow());
    }

    // 0 is the newest, as the API has it.
    private VaultKeyValueVersion? Version(string path, int? version) =>
        !_secrets.TryGetValue(path, out List<VaultKeyValueVersion>? versions) ? null
        : version is null or 0 ? versions[^1]
        : versions.Find(one => one.Number == version);
}
