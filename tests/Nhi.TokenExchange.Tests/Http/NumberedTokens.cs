using System.Diagnostics.CodeAnalysis;

namespace Nhi.TokenExchange.Tests.Http;

/// <summary>A provider as the slot is: one current token, replaced only when that very one is rejected.</summary>
internal sealed class NumberedTokens() : CredentialProvider<BearerToken>("warehouse")
{
    private readonly Lock _gate = new();
    private BearerToken? _current;

    public int Issued { get; private set; }

    public List<BearerToken> Rejected { get; } = [];

    /// <summary>What a miss throws instead of issuing.</summary>
    public Exception? Failure { get; set; }

    /// <summary>Whether a hit is to be had without waiting.</summary>
    public bool HasHits { get; set; } = true;

    public override bool TryGet([NotNullWhen(true)] out BearerToken? credential)
    {
        lock (_gate)
            credential = HasHits ? _current : null;
        return credential is not null;
    }

    public override async ValueTask<BearerToken> GetAsync(CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        lock (_gate)
        {
            if (_current is null && Failure is not null)
                throw Failure;
            return _current ??= new BearerToken($"token-{++Issued}", DateTimeOffset.UnixEpoch.AddYears(100));
        }
    }

    public override void Reject(BearerToken credential)
    {
        lock (_gate)
        {
            Rejected.Add(credential);
            if (ReferenceEquals(_current, credential))
                _current = null;
        }
    }
}
