namespace Nhi.TokenExchange;

/// <summary>Whose a lease is: from <see cref="LeaseState.Live"/> an exchange of its state lets one party win, and each lease is ended by exactly one. Lock-free.</summary>
internal static class LeaseOwnership
{
    /// <summary>Claims a credential object for one lease.</summary>
    /// <returns>False: this object was registered before.</returns>
    public static bool TryClaim(Credential credential, in LeaseRecord lease)
    {
        if (Interlocked.CompareExchange(ref credential.Lease.State, LeaseState.Live, LeaseState.None) != LeaseState.None)
            return false;
        credential.Lease = lease with { State = LeaseState.Live };
        return true;
    }

    /// <summary>Makes the caller the one party that ends this lease.</summary>
    /// <returns>False: somebody else does, or did.</returns>
    public static bool TryTake(Credential credential) =>
        Interlocked.CompareExchange(ref credential.Lease.State, LeaseState.Taken, LeaseState.Live) == LeaseState.Live;

    /// <summary>Makes the caller the one party that tries to end this lease: he keeps it, or puts it back.</summary>
    /// <returns>False: somebody else does, or did.</returns>
    public static bool TryBorrow(Credential credential) =>
        Interlocked.CompareExchange(ref credential.Lease.State, LeaseState.Borrowed, LeaseState.Live) == LeaseState.Live;

    /// <summary>A borrowed lease is accounted for.</summary>
    public static void Keep(Credential credential) => Interlocked.Exchange(ref credential.Lease.State, LeaseState.Taken);

    /// <summary>Whether a lease still waits for somebody who ends it, or is borrowed by one.</summary>
    public static bool IsOpen(Credential credential) => credential.Lease.State is LeaseState.Live or LeaseState.Borrowed;

    /// <summary>A taken lease is over, and whoever comes to write it down late finds that out.</summary>
    public static void NoteOver(Credential credential) => Interlocked.Exchange(ref credential.Lease.State, LeaseState.Over);

    /// <summary>Whether nothing is left to write down about a lease.</summary>
    public static bool IsOver(Credential credential) => credential.Lease.State == LeaseState.Over;

    /// <summary>Another object stands for the same thing, and is ended for this one, which its ender has taken.</summary>
    public static void LeaveOut(Credential credential) => Interlocked.Exchange(ref credential.Lease.State, LeaseState.Superseded);

    /// <summary>A renewal takes the place of this lease.</summary>
    /// <returns>False: somebody ends it, or did.</returns>
    public static bool TrySupersede(Credential lease) =>
        Interlocked.CompareExchange(ref lease.Lease.State, LeaseState.Superseded, LeaseState.Live) == LeaseState.Live;
}
