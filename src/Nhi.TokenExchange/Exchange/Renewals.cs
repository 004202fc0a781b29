namespace Nhi.TokenExchange;

/// <summary>What may be said of credentials whose life is lengthened at their issuer.</summary>
internal static class Renewals
{
    // What a server gives at its maximum differs from what it gave before by roundings.
    private const double LeastGain = 0.1;

    /// <summary>Issuers tell lives in whole seconds.</summary>
    public static readonly TimeSpan Rounding = TimeSpan.FromSeconds(1);

    /// <summary>By how much an end has to be sooner to say anything: two answers in cut seconds, and a request that was slower on its way than the one before.</summary>
    public static readonly TimeSpan Sooner = TimeSpan.FromSeconds(3);

    // The clock of a slot takes up to two seconds off an end: what is left must be more, or it is dead on arrival.
    private static readonly TimeSpan LeastLeft = TimeSpan.FromSeconds(2);

    /// <summary>Whether an issuer still gives more: the end is of use, and moves by a tenth of the life that is left then. At its maximum a server answers with the same end, over and over.</summary>
    /// <param name="held">The end so far.</param>
    /// <param name="renewed">The end that the issuer gave.</param>
    /// <param name="now">The instant before it was asked.</param>
    public static bool GivesMore(DateTimeOffset held, DateTimeOffset renewed, DateTimeOffset now) => renewed - now > LeastLeft && renewed - held >= (renewed - now) * LeastGain;

    /// <summary>Whether an issuer ends what is held sooner than was known, and what is left is of use.</summary>
    /// <param name="held">When it was to die.</param>
    /// <param name="renewed">When it dies.</param>
    /// <param name="usable">From when it is of no use.</param>
    /// <param name="now">The instant before it was asked.</param>
    public static bool EndsSooner(DateTimeOffset held, DateTimeOffset renewed, DateTimeOffset usable, DateTimeOffset now) => held - renewed > Sooner && usable - now > LeastLeft;

    /// <summary>The issuer gives no more, and nobody asked for another.</summary>
    public static TokenExchangeException NoMore(string target) =>
        new(ErrorCodes.NothingToRenew, ExchangeStage.Exchange, "The issuer gives the held credential no longer life. It is used on to its end; the next call gets another.") { Target = target, SaysNoMore = true };

    /// <summary>Somebody ended what was just renewed. The next exchange is one for something new.</summary>
    public static TokenExchangeException Lost(string target) =>
        new(ErrorCodes.DeadOnArrival, ExchangeStage.Verify, "The credential was ended while it was renewed.") { Target = target, IsTransient = true, IsRenewalForNothing = true };

    /// <summary>What is held is over, and its renewal was not answered. The next exchange is one for something new.</summary>
    /// <param name="target">Whose it is.</param>
    /// <param name="last">What became of the renewal.</param>
    public static TokenExchangeException TooLate(string target, TokenExchangeException last) =>
        new(last.Code, last.Stage, last.Detail, last) { Target = target, IsTransient = true, IsRenewalForNothing = true, CorrelationId = last.CorrelationId, Hint = last.Hint };

    /// <summary>Nothing came of a renewal, and nobody asked for another.</summary>
    /// <param name="target">Whose it is.</param>
    /// <param name="nothing">Why.</param>
    public static TokenExchangeException ForNothing(string target, TokenExchangeException nothing) =>
        new(ErrorCodes.NothingToRenew, ExchangeStage.Exchange, $"{nothing.Detail} Nothing came of its renewal; the next call gets another.") { Target = target, SaysNoMore = true, CorrelationId = nothing.CorrelationId };
}
