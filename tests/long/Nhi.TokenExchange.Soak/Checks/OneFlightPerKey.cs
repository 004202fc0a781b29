namespace Nhi.TokenExchange.Soak;

/// <summary>1. Flights per key at once: at most one, as the issuers see it.</summary>
internal sealed class OneFlightPerKey() : SoakInvariant(1, "one flight per key")
{
    public override IEnumerable<Breach> Check(Evidence evidence) => evidence.Overlaps.Select(overlap =>
        Breach($"{overlap.AtOnce} requests for one credential at once, at {overlap.Endpoint} for client {overlap.ClientId}", evidence.At(overlap.At)));
}
