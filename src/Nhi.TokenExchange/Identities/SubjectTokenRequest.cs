namespace Nhi.TokenExchange;

/// <summary>What an exchange asks of an identity source.</summary>
public sealed class SubjectTokenRequest
{
    /// <summary>For whom the proof is to be made.</summary>
    public required Audience Audience { get; init; }

    /// <summary>The job that asks.</summary>
    public JobContext Job { get; init; } = JobContext.Unnamed;

    /// <summary>The last proof was refused as expired: one that is kept anywhere must not be given again.</summary>
    public bool MustBeNew { get; init; }

    /// <summary>With <see cref="MustBeNew"/>: the <see cref="SubjectToken.Fingerprint"/> of the proof that was refused, if known.</summary>
    public string? RefusedFingerprint { get; init; }

    /// <summary>Sends requests by the rules of this library: bounded, no redirect, no proxy for loopback and metadata.</summary>
    public required HttpMessageInvoker Backchannel { get; init; }

    /// <summary>The clock to use.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
