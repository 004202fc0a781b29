namespace Nhi.TokenExchange;

/// <summary>What is to be ended at an issuer.</summary>
/// <typeparam name="TCredential">The kind of credential.</typeparam>
public sealed class RevocationRequest<TCredential>
    where TCredential : Credential
{
    /// <summary>The name of the target.</summary>
    public required string Target { get; init; }

    /// <summary>The credential; null after a crash, when only the handle is left.</summary>
    public TCredential? Credential { get; init; }

    /// <summary>The handle that the exchange gave, if any.</summary>
    public string? Handle { get; init; }

    /// <summary>
    /// Gets the target's proof, as for an exchange: for an issuer that wants to know who asks, where the credential itself is not at hand or can't say it. Fails when the job has ended and the target goes through another one.
    /// Null where there is no job.
    /// </summary>
    public Func<CancellationToken, ValueTask<SubjectToken>>? Subject { get; init; }

    /// <summary>
    /// Gets what the job holds of the target that this one goes through, but for the one of the fingerprint that is given: where that has died, another may do. Null where there is none; nothing is exchanged for it. Works while the job ends, too.
    /// </summary>
    internal Func<string, SubjectToken?>? OtherSubject { get; init; }

    /// <summary>Gets the target's own credential, as its provider does: for an issuer that lets one of a kind end another. Fails when the job has ended. Null where there is no job.</summary>
    internal Func<CancellationToken, ValueTask<TCredential>>? Own { get; init; }

    /// <summary>Sends requests by the rules of this library.</summary>
    public required HttpMessageInvoker Backchannel { get; init; }

    /// <summary>The clock to use.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
