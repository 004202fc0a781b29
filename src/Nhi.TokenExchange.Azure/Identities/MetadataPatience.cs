using System.Net;

namespace Nhi.TokenExchange;

/// <summary>How long to wait before another try at a host of managed identities, if one is worth it.</summary>
internal static class MetadataPatience
{
    /// <summary>One try, from connecting to the end of the answer. Hosts answer in milliseconds; one that is starting may take longer than this, and is then asked again.</summary>
    public static readonly TimeSpan OneTry = TimeSpan.FromSeconds(5);

    // All tries together, but in an update. The job should hear of it before the deadline of its flight, 60 s.
    private static readonly TimeSpan Whole = TimeSpan.FromSeconds(30);

    // 410: an update of the host that takes up to 70 s, longer than a flight may. The last try is 50 s after the first; the failure is transient, and the
    // next flight has as long: whoever asks again at once has waited 100 s in two.
    private static readonly TimeSpan WholeOfAnUpdate = TimeSpan.FromSeconds(55);
    private static readonly TimeSpan UpdateStep = TimeSpan.FromSeconds(10);

    // A machine that has just started may run the job before its metadata service takes connections.
    private static readonly TimeSpan StartUp = TimeSpan.FromSeconds(30);

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

    /// <summary>Whether an undeclared host that takes no connection may still come up.</summary>
    /// <param name="sinceFirstAsked">How long ago the source was asked for the first time.</param>
    public static bool MayStart(TimeSpan sinceFirstAsked) => sinceFirstAsked < StartUp;

    // 1, 2, 4, 8 s at the instance metadata service: five tries in 15 s.  1 s at the others.
    private static TimeSpan RegularWait(MetadataHost host, int repeated) => host.IsInstanceMetadata ? Step * Math.Pow(2, repeated) : Step;

    private static TimeSpan? Within(TimeSpan wait, TimeSpan elapsed, TimeSpan whole) => elapsed + wait < whole ? wait : null;
}
