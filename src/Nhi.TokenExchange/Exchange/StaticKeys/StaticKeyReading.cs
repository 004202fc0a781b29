namespace Nhi.TokenExchange;

/// <summary>How a handler or an opener comes by a key.</summary>
internal static class StaticKeyReading
{
    /// <summary>Gives the key, with its text.</summary>
    public static async ValueTask<(StaticKey Key, string Text)> ReadAsync(this CredentialProvider<StaticKey> provider, CancellationToken cancellationToken)
    {
        while (true)
        {
            StaticKey key = await provider.GetAsync(cancellationToken).ConfigureAwait(false);
            if (key.Kept.Reveal() is { } text)
                return (key, text);
            provider.Reject(key);   // it was let go this instant: the next one is read anew, or why not is told
        }
    }

    /// <summary>Gives another key than one that its service refused: it may have been rotated.</summary>
    /// <returns>Null: the vault names the same, or did so just now.</returns>
    public static async ValueTask<(StaticKey Key, string Text)?> ReadAnotherAsync(this CredentialProvider<StaticKey> provider, StaticKey refused, string text, TimeProvider time, CancellationToken cancellationToken)
    {
        if (refused.WasReadJustNow(time))
            return null;
        provider.Reject(refused);
        (StaticKey Key, string Text) another = await provider.ReadAsync(cancellationToken).ConfigureAwait(false);
        return another.Text == text ? null : another;
    }
}
