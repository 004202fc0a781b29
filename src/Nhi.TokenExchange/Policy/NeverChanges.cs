using Microsoft.Extensions.Primitives;

namespace Nhi.TokenExchange;

/// <summary>The change token of a policy that stays as it is.</summary>
internal sealed class NeverChanges : IChangeToken, IDisposable
{
    public static readonly NeverChanges Token = new();

    public bool HasChanged => false;

    public bool ActiveChangeCallbacks => false;

    public IDisposable RegisterChangeCallback(Action<object?> callback, object? state) => this;

    public void Dispose()
    {
    }
}
