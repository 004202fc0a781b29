using System.Net;

namespace Nhi.TokenExchange;

/// <summary>How long to wait before another try at a host of managed identities, if one is worth it.</summary>
internal static class MetadataPatience
{
    /// <summary>One try, from connecting to the end of the answer: a host that has taken 6 s at start was the longest seen.</summary>
    public static readonly TimeSpan OneTry = TimeSpan.FromSeconds(5);

    // All tries together. Hosts in start-up take seconds, and the job should hear of it before its own deadline.
    private static readonly TimeSpan Whole = TimeSpan.FromSeconds(30);

    // 410: an update of the host that takes up to 70 s. The flight has 60 s; the next flight goes on.
    private static readonly TimeSpan WholeOfAnUpdate = TimeSpan.FromSeconds(55);
    private static readonly TimeSpan UpdateStep = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    // MSAL asks the other hosts as often.
    private const int RepeatsOnOthers = 3;

    /// <summary>After an answer.</summary>
    /// <returns>Null: not worth another try, or no time left.</returns>
    public static TimeSpan? After(MetadataHost host, HttpStatusCode status, TimeSpan? retryAfter, int repeated, TimeSpan elapsed)
    {
        if (!host.MayPass(status))
            return null;
        if (status == HttpStatusCode.Gone)
            return Within(UpdateStep, elapsed, WholeOfAnUpdate);
        TimeSpan wait = RegularWait(host, repeated);
        return !host.IsInstanceMetadata && repeated >= RepeatsOnOthers ? null : Within(retryAfter > wait ? retryAfter.Value : wait, elapsed, Whole);
    }

    /// <summary>After a try that came to no whole answer in its time.</summary>
    public static TimeSpan? AfterSilence(MetadataHost host, int repeated, TimeSpan elapsed) =>
        !host.IsInstanceMetadata && repeated >= RepeatsOnOthers ? null : Within(RegularWait(host, repeated), elapsed, Whole);

    /// <summary>After a connection that was refused or found no way. Where nothing says that a host is there, none is.</summary>
    public static TimeSpan? AfterNoConnection(MetadataHost host, TimeSpan elapsed) => host.IsDeclared ? Within(Step, elapsed, Whole) : null;

    // 1, 2, 4, 8 s at the instance metadata service: five tries in 15 s.  1 s at the others.
    private static TimeSpan RegularWait(MetadataHost host, int repeated) => host.IsInstanceMetadata ? Step * Math.Pow(2, repeated) : Step;

    private static TimeSpan? Within(TimeSpan wait, TimeSpan elapsed, TimeSpan whole) => elapsed + wait < whole ? wait : null;
}
