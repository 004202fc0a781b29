namespace Nhi.TokenExchange;

/// <summary>Lengthens the life of a Vault token or of a lease: "Renew a token (self)", "Renew lease".</summary>
internal static class VaultRenewal
{
    // A try that is cut off sooner leaves open when the held credential ends.
    private static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(1);

    /// <summary>Asks for it, if it could give more and as long as what is held is handed out: after that a new one is what callers wait for.</summary>
    /// <param name="server">Where the held credential is from.</param>
    /// <param name="path">What renews it.</param>
    /// <param name="token">The token that asks.</param>
    /// <param name="lease">The lease, if it is not the token itself.</param>
    /// <param name="held">The credential.</param>
    /// <param name="request">The exchange.</param>
    /// <param name="cancellationToken">Ends the wait for the answer.</param>
    /// <returns>Null: it was not asked for, or was refused.</returns>
    /// <exception cref="TokenExchangeException">It failed in passing, and is tried again while what is held is good; or nothing came of it until that was over.</exception>
    public static async Task<VaultAnswer?> AskAsync(VaultServer server, string path, SubjectToken token, string? lease, Credential held, ExchangeRequest request, CancellationToken cancellationToken)
    {
        if (!await TryBeginAsync(held, request, cancellationToken).ConfigureAwait(false))
            return null;
        var call = new VaultCall(path) { Token = token, Body = VaultCall.Object(("lease_id", lease), ("increment", VaultLife.Seconds(request.MaxLifetime))) };
        using var isOver = new CancellationTokenSource(LongestWait(held.UnusableFrom - request.Time.GetUtcNow()), request.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(isOver.Token, cancellationToken);
        var tries = new WatchedTries(WatchedTries.Current?.NoMoreFrom ?? default);
        try
        {
            VaultReply reply = await tries.Begin(() => server.SendAsync(call, request.Backchannel, request.Time, either.Token)).ConfigureAwait(false);
            if (reply.IsSuccess)
                return reply.ReadAnswer();
            return VaultRefusal.Of(reply, server, request.Time) is { IsTransient: true } passing ? throw passing : null;
        }
        catch (OperationCanceledException) when (isOver.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Renewals.TooLate(request.Target, tries.Heard.Last ?? NoAnswer(server));
        }
    }

    // Beyond a call's own deadline, no limit at all: a timer takes none of more than 49 days.
    private static TimeSpan LongestWait(TimeSpan left) =>
        left >= IssuerBackchannel.CallDeadline ? Timeout.InfiniteTimeSpan
        : left > ShortestWait ? left
        : ShortestWait;

    private static TokenExchangeException NoAnswer(VaultServer server) =>
        new(ErrorCodes.DeadlineExceeded, ExchangeStage.Exchange, $"Host {server.Address.IdnHost} gave no answer to a renewal until what it was to renew was over.");

    // One that could not give more is not asked for: a server cuts a life to what is asked, and the held credential is handed out still.
    private static async ValueTask<bool> TryBeginAsync(Credential held, ExchangeRequest request, CancellationToken cancellationToken)
    {
        DateTimeOffset now = request.Time.GetUtcNow();
        return Renewals.GivesMore(held.UnusableFrom, now + request.MaxLifetime, now) && (request.Renewal is null || await request.Renewal.TryBeginAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Whether a renewal takes the place of the held credential: it moves the end from which that would be of no use, or it has cut the life, as after the role's maximum was lowered, and what is left is of use.</summary>
    public static bool TakesThePlace(VaultAnswer renewed, Credential held, ExchangeRequest request, TimeSpan margin)
    {
        if (!VaultLife.IsSaid(renewed))
        {
            if (renewed.LeaseDuration <= 0)
                request.Renewal?.GaveNoMore(renewed.AskedAt);
            return false;
        }
        DateTimeOffset end = VaultLife.EndOf(renewed);
        DateTimeOffset usable = end - margin;   // what is handed out at most gave more already, or nothing was asked for
        if (Renewals.GivesMore(held.UnusableFrom, usable, renewed.AskedAt) || Renewals.EndsSooner(held.ExpiresAt, end, usable, renewed.AskedAt))
            return true;
        request.Renewal?.GaveNoMore(end);
        return false;
    }
}
