using System.Globalization;

namespace Nhi.TokenExchange.Tests;

/// <summary>An issuer whose ledger is a folder, so that it outlives the processes that ask it: one file for each credential, one more when it is revoked, one more for each time that is asked again.</summary>
/// <param name="ledger">The folder.</param>
/// <param name="hasHandles">Whether a credential can be ended without holding it.</param>
/// <param name="before">Told of each step, before it.</param>
/// <param name="announces">Whether it chooses the handle itself, and says so before it makes anything.</param>
internal sealed class FileIssuer(string ledger, bool hasHandles, Action<string>? before = null, bool announces = false) : TokenExchanger<BearerToken>
{
    /// <summary>A source of proofs that this issuer takes.</summary>
    public static IWorkloadIdentitySource Proofs { get; } = IdentitySources.From((_, _) => new ValueTask<SubjectToken>(new SubjectToken("opaque-proof", SubjectTokenType.AccessToken)));

    public override Uri Issuer { get; } = new(hasHandles ? "https://handles.test/" : "https://bare.test/");

    public override Audience SubjectAudience { get; } = new("https://issuer.test/");

    /// <summary>Fingerprints of all that were issued, or of those that were revoked, or asked for again after that.</summary>
    public static IReadOnlyList<string> Fingerprints(string ledger, string what) =>
        [.. Directory.EnumerateFiles(ledger, $"*.{what}*").Select(file => Path.GetFileName(file).Split('.')[0])];

    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        var token = new BearerToken(Guid.NewGuid().ToString("N"), request.Time.GetUtcNow().AddHours(1));
        if (announces)
            await request.AnnounceHandleAsync($"lease/{token.Fingerprint}", cancellationToken);
        before?.Invoke("exchange");
        await Task.Yield();
        await File.WriteAllTextAsync(Path.Combine(ledger, $"{token.Fingerprint}.{(announces ? "chosen" : hasHandles ? "held" : "bare")}"), "", CancellationToken.None);
        before?.Invoke("issued");
        return new Issued<BearerToken>(token) { RevocationHandle = hasHandles ? $"lease/{token.Fingerprint}" : null };
    }

    public override async ValueTask<Revocation> RevokeAsync(RevocationRequest<BearerToken> request, CancellationToken cancellationToken)
    {
        if (request.Handle is null)
            return Revocation.NotSupported;
        before?.Invoke("revoke");
        await Task.Yield();
        string fingerprint = request.Handle.Split('/')[1];
        if (!File.Exists(Path.Combine(ledger, $"{fingerprint}.held")) && !File.Exists(Path.Combine(ledger, $"{fingerprint}.chosen")))
            return Revocation.AlreadyGone;
        try
        {
            await new FileStream(Path.Combine(ledger, $"{fingerprint}.revoked"), FileMode.CreateNew).DisposeAsync();
            return Revocation.Revoked;
        }
        catch (IOException)
        {
            await File.WriteAllTextAsync(Path.Combine(ledger, string.Create(CultureInfo.InvariantCulture, $"{fingerprint}.again-{Guid.NewGuid():N}")), "", CancellationToken.None);
            return Revocation.AlreadyGone;
        }
    }
}
