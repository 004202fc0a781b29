namespace Nhi.TokenExchange;

/// <summary>Whether a revocation waits for a credential to ask with, or failed for want of one: its issuer was not asked by that try.</summary>
internal sealed class OwnCredentialWait
{
    public bool IsOn { get; private set; }

    /// <summary>Waits for what the revocation asks with.</summary>
    public static async ValueTask<T> ForAsync<T>(OwnCredentialWait? wait, Task<T> getting)
    {
        if (wait is null)
            return await getting.ConfigureAwait(false);
        wait.IsOn = true;
        T got = await getting.ConfigureAwait(false);
        wait.IsOn = false;
        return got;
    }
}
