namespace Nhi.TokenExchange.Soak;

/// <summary>What ends a virtual job. A kill is not among them: <c>tests/long/kills</c> has those.</summary>
internal enum JobEnd
{
    /// <summary>It says that it is done, and takes the report.</summary>
    Completed,

    /// <summary>Its session is disposed.</summary>
    Disposed,

    /// <summary>The host stops that its session belongs to.</summary>
    HostStopped,

    /// <summary>It is cancelled in the midst of its calls, and does not even wait for its end.</summary>
    Cancelled,

    /// <summary>Somebody revokes it by code.</summary>
    Revoked,

    /// <summary>An operator throws its kill switch.</summary>
    KillSwitch,

    /// <summary>It has run as long as it may.</summary>
    MaxDuration,
}
