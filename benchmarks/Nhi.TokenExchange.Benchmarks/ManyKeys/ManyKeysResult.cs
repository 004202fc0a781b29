namespace Nhi.TokenExchange;

/// <summary>One store with many keys.</summary>
/// <param name="Store">The row.</param>
/// <param name="Keys">How many keys it held.</param>
/// <param name="BytesPerKey">Managed bytes a key, the token of ten characters included, the caller's own key excluded.</param>
/// <param name="KeyObjectBytes">Managed bytes of the key's own object, its strings excluded: 0 where the string is the key.</param>
/// <param name="HitNanoseconds">A hit at a random key, best of the rounds.</param>
public sealed record ManyKeysResult(string Store, int Keys, double BytesPerKey, double KeyObjectBytes, double HitNanoseconds);
