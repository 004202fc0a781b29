using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace Nhi.TokenExchange;

/// <summary>A section with nothing in it, where none was written.</summary>
internal sealed class EmptySection : IConfigurationSection
{
    private EmptySection(string path) => Path = path;

    public string Key => ConfigurationPath.GetSectionKey(Path)!;

    public string Path { get; }

    public string? Value
    {
        get => null;
        set => throw new NotSupportedException();
    }

    public string? this[string key]
    {
        get => null;
        set => throw new NotSupportedException();
    }

    public static EmptySection At(string path) => new(path);

    public IEnumerable<IConfigurationSection> GetChildren() => [];

    public IChangeToken GetReloadToken() => new CancellationChangeToken(CancellationToken.None);

    public IConfigurationSection GetSection(string key) => At(ConfigurationPath.Combine(Path, key));
}
