using System.Collections.ObjectModel;

namespace Nhi.TokenExchange;

/// <summary>The federated identity credentials of one application, with Entra's limits at the time of writing them. One thread may change it while requests read <see cref="At"/>.</summary>
internal sealed class FederatedCredentials(EntraDirectory directory) : Collection<FederatedIdentityCredential>
{
    private const int Most = 20;
    private const int Longest = 600;

    private readonly Lock _gate = new();
    private FederatedIdentityCredential[] _written = [];

    /// <summary>All that were written, split by whether the servers know them yet.</summary>
    public (FederatedIdentityCredential[] Known, FederatedIdentityCredential[] Coming) At(DateTimeOffset now)
    {
        FederatedIdentityCredential[] written;
        lock (_gate)
            written = _written;
        return ([.. written.Where(one => one.KnownFrom <= now)], [.. written.Where(one => one.KnownFrom > now)]);
    }

    protected override void InsertItem(int index, FederatedIdentityCredential item)
    {
        if (Count >= Most)
            throw new ArgumentException($"An application has at most {Most} federated identity credentials.", nameof(item));
        base.InsertItem(index, Checked(item, except: null));
        Write();
    }

    protected override void SetItem(int index, FederatedIdentityCredential item)
    {
        base.SetItem(index, Checked(item, except: this[index]));
        Write();
    }

    protected override void RemoveItem(int index)
    {
        base.RemoveItem(index);
        Write();
    }

    protected override void ClearItems()
    {
        base.ClearItems();
        Write();
    }

    private void Write()
    {
        lock (_gate)
            _written = [.. this];
    }

    private FederatedIdentityCredential Checked(FederatedIdentityCredential item, FederatedIdentityCredential? except)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (item.Issuer is not { Length: > 0 and <= Longest } || item.Subject is not { Length: > 0 and <= Longest })
            throw new ArgumentException($"Issuer and subject have from 1 to {Longest} characters.", nameof(item));
        if (this.Any(other => !ReferenceEquals(other, except) && other.Issuer == item.Issuer && other.Subject == item.Subject))
            throw new ArgumentException("Issuer and subject together are unique for an application.", nameof(item));
        return item with { KnownFrom = item.KnownFrom ?? directory.Time.GetUtcNow() + directory.PropagationDelay };
    }
}
