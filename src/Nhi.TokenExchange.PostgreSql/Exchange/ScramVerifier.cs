using System.Security.Cryptography;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>What PostgreSQL keeps of a password (RFC 5802 §3, RFC 7677 §3): it checks a password with it, and nobody logs in with it.</summary>
internal static class ScramVerifier
{
    // As the server does by itself. More would slow each login, and 256 random bits need none.
    private const int Iterations = 4096;
    private const int SaltLength = 16;

    /// <summary>The verifier with a salt of its own.</summary>
    /// <param name="password">ASCII: SASLprep leaves it as it is.</param>
    /// <returns><c>SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey</c>, the form of <c>pg_authid.rolpassword</c>, which <c>CREATE ROLE … PASSWORD</c> takes as it is.</returns>
    public static string Of(string password) => Of(password, RandomNumberGenerator.GetBytes(SaltLength), Iterations);

    /// <inheritdoc cref="Of(string)"/>
    internal static string Of(string password, byte[] salt, int iterations)
    {
        byte[] salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.ASCII.GetBytes(password), salt, iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        byte[] storedKey = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8));
        byte[] serverKey = HMACSHA256.HashData(salted, "Server Key"u8);
        CryptographicOperations.ZeroMemory(salted);
        return $"SCRAM-SHA-256${iterations}:{Convert.ToBase64String(salt)}${Convert.ToBase64String(storedKey)}:{Convert.ToBase64String(serverKey)}";
    }
}
