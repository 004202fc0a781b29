using System.Collections.ObjectModel;

namespace Nhi.TokenExchange;

/// <summary>The federated identity credentials of one application, with Entra's limits at the time of writing them.</summary>
internal sealed class FederatedCredentials(EntraDirectory directory) : Collection<FederatedIdentityCredential>
{
    private const int Most = 20;
    private const int Longest = 600;

    protected override void InsertItem(int index, FederatedIdentityCredential item)
    {
        if (Count >= Most)
            throw new ArgumentException($"An application has at most {Most} federated identity credentials.", nameof(item));
        base.InsertItem(index, Checked(item, except: null));
    }

    protected override void SetItem(int index, FederatedIdentityCredential item) => base.SetItem(index, Checked(item, except: this[index]));

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
