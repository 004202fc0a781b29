namespace Nhi.TokenExchange.Tests;

/// <summary>An exchanger whose back channel is a wire in memory.</summary>
internal sealed class OverWire(TokenExchanger<BearerToken> inner, Wire wire) : TokenExchanger<BearerToken>
{
    public override Uri Issuer => inner.Issuer;

    public override Audience SubjectAudience => inner.SubjectAudience;

    public override string? FlawOf(ScopeSet scopes) => inner.FlawOf(scopes);

    public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken) => inner.ExchangeAsync(
        new ExchangeRequest
        {
            Target = request.Target, FlightId = request.FlightId, Subject = request.Subject, Actor = request.Actor, Scopes = request.Scopes, MaxLifetime = request.MaxLifetime, Job = request.Job,
            Tenant = request.Tenant, Claims = request.Claims, Backchannel = wire.Backchannel, Time = request.Time,
        },
        cancellationToken);
}
