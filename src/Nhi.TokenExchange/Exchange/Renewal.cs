namespace Nhi.TokenExchange;

/// <summary>One try to lengthen the life of a credential at its issuer, as the job's books see it.</summary>
/// <remarks>
/// From before the issuer is asked until it has answered nobody knows when the credential ends. So meanwhile nobody takes it for dead by the end that was known of it, nor does who finds its
/// journal after a crash: who ends it asks the issuer, and if no answer comes it is ended at that end. An end that comes sooner than the one before counts, too: what is held is not handed out beyond it. A renewal that comes when somebody ends the credential already is the same thing at the issuer, and over with it: it is not a lease of its own.
/// </remarks>
/// <param name="session">The job.</param>
/// <param name="held">The credential.</param>
internal sealed class Renewal(JobSession session, Credential held)
{
    private readonly Credential _inSlot = held;
    private Credential _held = held;
    private bool _madeItUncertain;
    private bool _isSettled;
    private bool _tookThePlace;

    /// <summary>Whether the renewal stands in the books for what is handed out still: then it is ended with that, at the job's end or by the next renewal's successor, and not because it came to nothing itself.</summary>
    public bool ServesOn => _tookThePlace && !session.Leases.IsClosed;

    /// <summary>Whether the renewal is over with what it renewed, whose end is asked for or was.</summary>
    public bool IsEndedWithHeld { get; private set; }

    /// <summary>To be called before the issuer is asked.</summary>
    /// <returns>False: it must not be asked, for the credential is past its end, or somebody ends it.</returns>
    /// <exception cref="TokenExchangeException">That its end is uncertain can't be written into the journal: it must not be asked either.</exception>
    public async ValueTask<bool> TryBeginAsync(CancellationToken cancellationToken)
    {
        _held = session.Leases.Newest(_held);   // a renewal of it may stand in the books that could not be recorded
        _madeItUncertain = !LeaseSet.IsEndUncertain(_held);
        bool hasBegun = false;
        try
        {
            if (!session.Leases.TryLengthen(_held))
                return false;
            if (_madeItUncertain && session.Journal is { } journal)
                await journal.LengtheningAsync(_held, cancellationToken).ConfigureAwait(false);
            return hasBegun = session.Leases.TryLengthen(_held);   // once more: a disk may be slow
        }
        finally
        {
            if (!hasBegun)
                GaveNothing();
        }
    }

    /// <summary>The issuer has answered with an end that is of no use. Where it is the one that was known, by both hands of the clock, that stands. Where it is a sooner one, what is held is handed out no more; for its ender nobody knows, as our clock may have been set meanwhile.</summary>
    public void GaveNoMore(DateTimeOffset end)
    {
        if ((end - _held.ExpiresAt).Duration() <= Renewals.Rounding && session.Leases.KeptTheWall(_held))
            GaveNothing();
        if (end < _inSlot.ExpiresAt - Renewals.Sooner)
            StopServing();
    }

    /// <summary>The renewal has come, and is registered.</summary>
    public void Land(Credential renewed)
    {
        _tookThePlace = session.Leases.Supersede(_held, renewed) is not null;
        // An exchanger that did not begin may bring a renewal of what was taken for dead: that one is ended by itself.
        IsEndedWithHeld = !_tookThePlace && LeaseSet.IsEndUncertain(_held) && LeaseOwnership.TryTake(renewed);
        if (IsEndedWithHeld)
            session.Journal?.Lengthened(_held, renewed);
        if (_tookThePlace && renewed.Lease.DeadTick < _inSlot.Lease.DeadTick - (long)Renewals.Sooner.TotalMilliseconds)
            StopServing();   // who asks waits for the renewal: if that is not recorded, there is none
    }

    /// <summary>What is held is handed out no more, nor is what ends with it.</summary>
    public void StopServing() => _inSlot.Lease.Owner!.Drop(_inSlot);

    /// <summary>A static key has come, and is registered. One that was read again is the same key: where it is the held one, it stands in the books for it, and with it.</summary>
    public static void Land(JobSession session, Renewal? ofHeld, StaticKey read)
    {
        if (ofHeld?._held is StaticKey held && held.Kept == read.Kept)
            ofHeld.Land(read);
        else if (session.Leases.Supersede(null, read) is StaticKey refused)
            refused.Kept.LetGo();   // a copy that its service refused: no slot hands it out any more
    }

    /// <summary>The exchange is over. What was asked to live longer, and may or may not, is ended at the end that is known of it.</summary>
    public void Settle()
    {
        _isSettled = true;
        if (_madeItUncertain && LeaseOwnership.IsOpen(_held))
            session.WatchAssumedEnd(_held);
    }

    // An answer that comes when its exchange was given up says nothing of a renewal that was sent since.
    private void GaveNothing()
    {
        if (!_madeItUncertain || _isSettled)
            return;
        LeaseSet.NotLengthened(_held);
        session.Journal?.NotLengthened(_held);
        _madeItUncertain = false;
    }
}
