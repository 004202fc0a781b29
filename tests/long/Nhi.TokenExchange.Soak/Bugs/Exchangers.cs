using System.Text;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Soak;

/// <summary>An exchanger round another; each bug changes one thing of it.</summary>
internal abstract class WrappedExchanger(TokenExchanger<BearerToken> inner) : TokenExchanger<BearerToken>
{
    public override Uri Issuer => inner.Issuer;

    public override Audience SubjectAudience => inner.SubjectAudience;

    public override TimeSpan UsableMargin => inner.UsableMargin;

    public override bool EndsWithSubjectToken => inner.EndsWithSubjectToken;

    public override string? Tenant => inner.Tenant;

    public override string? FlawOf(ScopeSet scopes) => inner.FlawOf(scopes);

    public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken) => inner.ExchangeAsync(request, cancellationToken);

    public override ValueTask<Revocation> RevokeAsync(RevocationRequest<BearerToken> request, CancellationToken cancellationToken) => inner.RevokeAsync(request, cancellationToken);
}

internal sealed class TwinExchanger(TokenExchanger<BearerToken> inner) : WrappedExchanger(inner)
{
    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        Task<Issued<BearerToken>>[] twins = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() => base.ExchangeAsync(request, cancellationToken).AsTask(), cancellationToken))];
        return await await Task.WhenAny(twins);
    }
}

internal sealed class UnrevokingExchanger(TokenExchanger<BearerToken> inner) : WrappedExchanger(inner)
{
    public override ValueTask<Revocation> RevokeAsync(RevocationRequest<BearerToken> request, CancellationToken cancellationToken) => new(Revocation.Revoked);
}

internal sealed class LoggingExchanger(TokenExchanger<BearerToken> inner, ILogger log) : WrappedExchanger(inner)
{
    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        Issued<BearerToken> issued = await base.ExchangeAsync(request, cancellationToken);
        log.LogDebug("answer {Answer}", Convert.ToBase64String(Encoding.UTF8.GetBytes("token=" + issued.Credential.Reveal())));
        return issued;
    }
}

internal sealed class StormingExchanger(TokenExchanger<BearerToken> inner, int times) : WrappedExchanger(inner)
{
    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        Issued<BearerToken> issued = await base.ExchangeAsync(request, cancellationToken);
        for (int more = 0; more < times; more++)
        {
            try
            {
                issued = await base.ExchangeAsync(request, cancellationToken);
            }
            catch (TokenExchangeException)
            {
                // A proof that is taken once: the first answer stays.
            }
        }

        return issued;
    }
}
