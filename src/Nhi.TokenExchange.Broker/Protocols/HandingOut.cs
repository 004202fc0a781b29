namespace Nhi.TokenExchange;

/// <summary>The one way in which a caller gets a credential: through the job's provider of the target, so that policy, limits and audit are those of the job, and noted as the caller's before he has it.</summary>
internal static class HandingOut
{
    /// <summary>Gets a credential for a caller.</summary>
    /// <param name="call">The request.</param>
    /// <param name="caller">Who gets it.</param>
    /// <param name="provider">Of the target.</param>
    /// <param name="scopes">A part of the target's; null: all.</param>
    /// <exception cref="BrokerRefusal">There is none.</exception>
    public static async Task<T> GetAsync<T>(BrokerCall call, Caller caller, CredentialProvider<T> provider, ScopeSet? scopes = null)
        where T : Credential
    {
        using IDisposable counted = caller.Enter();
        // Who hangs up leaves it to run: what comes of it is noted, or ended, in any case.
        Task<T> getting = GetAndHoldAsync(call, caller, provider, scopes);
        try
        {
            T credential = await getting.WaitAsync(call.Aborted).ConfigureAwait(false);
            call.Plan.Logger.HandedOut(provider.Target, caller.Identity, credential.Fingerprint, credential.UnusableFrom);
            return credential;
        }
        catch (TokenExchangeException failure)
        {
            throw BrokerRefusal.Of(failure);
        }
        finally
        {
            _ = getting.ContinueWith(static failed => _ = failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
    }

    /// <summary>How long a credential is handed out still, in whole seconds: SDKs keep a copy, and must not keep it longer.</summary>
    public static long SecondsLeft(BrokerCall call, Credential credential) => Math.Max(0, (long)(credential.UnusableFrom - call.Plan.Time.GetUtcNow()).TotalSeconds);

    private static async Task<T> GetAndHoldAsync<T>(BrokerCall call, Caller caller, CredentialProvider<T> provider, ScopeSet? scopes)
        where T : Credential
    {
        caller.BeginGetting();
        try
        {
            T credential = await provider.GetAsync(new CredentialRequest { Scopes = scopes, Caller = caller.Identity }, caller.Gone).ConfigureAwait(false);
            if (caller.TryHold(credential, call.Plan.Time.GetUtcNow()))
                return credential;
        }
        catch (OperationCanceledException) when (caller.Gone.IsCancellationRequested)
        {
            // It ended meanwhile.
        }
        finally
        {
            if (caller.IsLastOfLate())
                _ = call.Callers.EndLateAsync(caller);
        }
        throw new BrokerRefusal(RefusalKind.Unproven, "this client has ended");
    }
}
