namespace Nhi.TokenExchange;

/// <summary>The kinds of sources and exchangers that a configuration may name.</summary>
internal sealed class Kinds
{
    private readonly Dictionary<string, Func<SettingsReader, IWorkloadIdentitySource>> _sources = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<SettingsReader, TokenExchanger>> _exchangers = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, Func<SettingsReader, IWorkloadIdentitySource>> Sources => _sources;

    public IReadOnlyDictionary<string, Func<SettingsReader, TokenExchanger>> Exchangers => _exchangers;

    /// <summary>Which package brings a kind that is not known, and what to call; null if nobody is known to.</summary>
    public static string? BringerOf(string kind) => kind switch
    {
        "ManagedIdentity" or "AzureWorkloadIdentity" or "Entra" or "EntraWorkloadIdentity" => "It comes with the package Nhi.TokenExchange.Azure: reference it and call builder.Azure().",
        "PostgresRole" => "It comes with the package Nhi.TokenExchange.PostgreSql: reference it and call builder.PostgreSql().",
        _ => null,
    };

    public void Add(string kind, Func<SettingsReader, IWorkloadIdentitySource> make) => Add(_sources, kind, make);

    public void Add(string kind, Func<SettingsReader, TokenExchanger> make) => Add(_exchangers, kind, make);

    private static void Add<T>(Dictionary<string, T> kinds, string kind, T make)
    {
        ArgumentException.ThrowIfNullOrEmpty(kind);
        ArgumentNullException.ThrowIfNull(make);
        if (!ConfigurationErrors.IsWord(kind))
            throw new ArgumentException("The name of a kind has letters and digits, at most 64.", nameof(kind));
        if (!kinds.TryAdd(kind, make))
            throw new ArgumentException($"There is a kind '{kind}' already.", nameof(kind));
    }
}
