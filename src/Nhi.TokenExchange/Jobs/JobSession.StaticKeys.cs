namespace Nhi.TokenExchange;

// Services that can't do without a static key yet: the key goes to them, and never to the job's code.
public sealed partial class JobSession
{
    /// <summary>Makes a handler that sends requests with the target's static key, to its allowed origins and nowhere else: for <c>new HttpClient(job.CreateStaticKeyHandler("billing"))</c>.</summary>
    /// <param name="target">The name of a target of <see cref="Targets.VaultStaticKey"/> or <see cref="Targets.KeyVaultStaticKey"/> with a header.</param>
    /// <returns>A handler with sockets of its own, which follows no redirect and keeps no cookie. In a container, <c>AddCredential</c> puts it below a client's own handlers.</returns>
    /// <exception cref="TokenExchangeException">There is no such target, it has no static key, or it names no header.</exception>
    public HttpMessageHandler CreateStaticKeyHandler(string target) => MakeStaticKeyHandler(target, inner: null, asker: null);

    /// <summary>Opens a connection with the target's static key, by the opener that was registered when the job was composed (<see cref="TokenExchangeBuilder.Opener"/>).</summary>
    /// <typeparam name="TConnection">What the opener gives.</typeparam>
    /// <param name="target">The name of the target.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What the opener gave: the caller's to close. The job's end does not close it.</returns>
    /// <exception cref="TokenExchangeException">There is no such target or opener, the key can't be had, or the opener failed (NHI8005).</exception>
    public Task<TConnection> OpenAsync<TConnection>(string target, CancellationToken cancellationToken = default)
        where TConnection : class, IDisposable
    {
        CredentialProvider<StaticKey> provider = Provider<StaticKey>(target);
        return Plan.Openers.GetValueOrDefault(target) is StaticKeyOpener<TConnection> opener
            ? opener.OpenAsync(provider, Plan.Time, cancellationToken)
            : throw new TokenExchangeException(ErrorCodes.WrongCredentialKind, ExchangeStage.Configure, Plan.Openers.TryGetValue(target, out StaticKeyOpener? other)
                ? $"The target's opener gives {other.ConnectionType.Name}, not {typeof(TConnection).Name}."
                : "The target has no opener.")
            {
                Target = target, Hint = "Register one when the job is composed: builder.Opener(\"…\", async (key, cancellationToken) => …).",
            };
    }

    /// <summary>The handler of a target of either kind, above what a client's composition sends by.</summary>
    internal HttpMessageHandler CreateHandlerOfAnyKind(string target, HttpMessageHandler? inner, string? asker) =>
        Runtime(target, asker).Plan.Exchanger is StaticKeyExchanger ? MakeStaticKeyHandler(target, inner, asker) : CreateHandler(target, inner, asker);

    private StaticKeyHandler MakeStaticKeyHandler(string target, HttpMessageHandler? inner, string? asker)
    {
        CredentialProvider<StaticKey> provider = Provider<StaticKey>(target, asker);
#pragma warning disable CA2000   // The handler that is returned disposes it.
        return new StaticKeyHandler(this, Runtime(target, asker), provider, inner ?? CredentialHandler.NewSockets());
#pragma warning restore CA2000
    }
}
