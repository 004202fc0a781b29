namespace Nhi.TokenExchange;

/// <summary>What a flight may do about what is held.</summary>
internal enum FlightAim
{
    /// <summary>Lengthen its life where the issuer does that, else replace it.</summary>
    RenewOrReplace,

    /// <summary>Lengthen its life, and nothing else: nobody asked for another.</summary>
    Renew,

    /// <summary>Replace it: its issuer has said that it gives no more.</summary>
    Replace,
}
