namespace Nhi.TokenExchange;

/// <summary>How the files of <see cref="TokenExchangeBuilder.AuditFolder"/> are written.</summary>
public sealed class AuditFolderOptions
{
    /// <summary>Whether what can't be recorded there is not handed out. Default true. False: nobody waits for it, and events that it can't take are dropped and counted.</summary>
    public bool IsRequired { get; set; } = true;

    /// <summary>From which size on a file is followed by another, which carries its chain on: bytes, default 64 MiB; from 1 MiB to 1 GiB.</summary>
    public long PartBytes { get; set; } = 64L << 20;

    /// <summary>After how many events the head of the chain is said to the log, as <c>chain:seq:hash</c>. Default 1000; from 1 to 1,000,000. It is said when the chain begins, at each new file, five minutes after an event at most, and at the job's end, too.</summary>
    public int AnchorEvery { get; set; } = 1000;

    internal (string Setting, string What, string Remedy)? Flaw => PartBytes is < 1L << 20 or > 1L << 30
        ? ("PartBytes", FormattableString.Invariant($"is {PartBytes}"), "Give a number of bytes from 1048576 to 1073741824.")
        : AnchorEvery is < 1 or > 1_000_000 ? ("AnchorEvery", FormattableString.Invariant($"is {AnchorEvery}"), "Give a number of events from 1 to 1000000.") : null;
}
