namespace Nhi.TokenExchange;

// What is said of static keys in code.
public sealed partial class TokenExchangeBuilder
{
    private readonly Dictionary<string, StaticKeyOpener> _openers = new(StringComparer.Ordinal);

    /// <summary>Registers what opens connections with the static key of a target, for a service that can't do without yet. It alone is handed the key; the job's code gets the connection, by <see cref="JobSession.OpenAsync"/>.</summary>
    /// <typeparam name="TConnection">What it opens, such as a <c>DbConnection</c> or an FTP client.</typeparam>
    /// <param name="target">The name of a target of <see cref="Targets.VaultStaticKey"/> or <see cref="Targets.KeyVaultStaticKey"/>, declared in code or in settings.</param>
    /// <param name="open">Opens a connection with the key. It keeps no copy, and puts the key nowhere else.</param>
    /// <param name="isRefusal">Whether what <paramref name="open"/> threw means that the service refused the key: then the vault is asked whether it was rotated, once a minute at most, and another is tried once. Default: no failure means that.</param>
    public TokenExchangeBuilder Opener<TConnection>(string target, Func<string, CancellationToken, ValueTask<TConnection>> open, Func<Exception, bool>? isRefusal = null)
        where TConnection : class, IDisposable
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(open);
        if (!_openers.TryAdd(target, new StaticKeyOpener<TConnection>(open, isRefusal)))
            _errors.Add($"Opener:{target}", "is registered twice", "Register one opener for each target.");
        return this;
    }
}
