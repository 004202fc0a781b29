using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;

namespace Nhi.TokenExchange;

/// <summary>The two forms of an ECDSA signature: what key services give, and what a JWS wants.</summary>
internal static class EcdsaSignature
{
    /// <summary>From <c>Ecdsa-Sig-Value</c> (RFC 3279 §2.2.3), as AWS KMS and Google Cloud KMS give it, to R and S of fixed length (RFC 7518 §3.4).</summary>
    /// <param name="der">A DER sequence of two positive integers, and nothing behind it.</param>
    /// <param name="fieldBytes">Length of R and of S.</param>
    /// <exception cref="CryptographicException">It is not that.</exception>
    public static byte[] FromDer(ReadOnlyMemory<byte> der, int fieldBytes)
    {
        try
        {
            var outer = new AsnReader(der, AsnEncodingRules.DER);
            AsnReader sequence = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            BigInteger r = sequence.ReadInteger();
            BigInteger s = sequence.ReadInteger();
            sequence.ThrowIfNotEmpty();
            byte[] both = new byte[2 * fieldBytes];
            Write(r, both.AsSpan(0, fieldBytes));
            Write(s, both.AsSpan(fieldBytes));
            return both;
        }
        catch (AsnContentException malformed)
        {
            throw new CryptographicException("The signature is not the DER form of an ECDSA signature.", malformed);
        }
    }

    private static void Write(BigInteger value, Span<byte> field)
    {
        int length = value.Sign > 0 ? value.GetByteCount(isUnsigned: true) : 0;
        if (length == 0 || length > field.Length)
            throw new CryptographicException($"A half of the ECDSA signature is not a positive number of at most {field.Length} bytes.");
        _ = value.TryWriteBytes(field[(field.Length - length)..], out _, isUnsigned: true, isBigEndian: true);
    }
}
