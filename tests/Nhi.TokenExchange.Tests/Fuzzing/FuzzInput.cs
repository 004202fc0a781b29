using System.Security.Cryptography;
using System.Text;
using Nhi.TokenExchange.Tests.Faults;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>The bytes of one input: a first line that chooses, and the rest, in which marks stand for what must never be seen. Read as Latin-1, so that every byte is one character and comes back as it was.</summary>
internal sealed class FuzzInput
{
    /// <summary>Stands for the canary; in what is not the canary's place, for itself.</summary>
    public const string CanaryMark = "@";

    /// <summary>Stands on both sides of the claims of a JWT with the canary for a signature.</summary>
    public const char JwtMark = '^';

    /// <summary>Stands for the proof that was sent.</summary>
    public const string ProofMark = "$";

    public FuzzInput(byte[] bytes)
    {
        string text = Encoding.Latin1.GetString(bytes);
        int end = text.IndexOf('\n', StringComparison.Ordinal);
        Choice = end < 0 ? text : text[..end];
        Rest = end < 0 ? "" : text[(end + 1)..];
    }

    /// <summary>Begins as a JWT does: whatever stands around it, it is part of a token. The same in each run, so that an input is the same; made here, so that it stands nowhere.</summary>
    public static string Canary { get; } = "eyJcanary" + Convert.ToHexStringLower(SHA256.HashData("fuzzing"u8))[..24];

    /// <summary>The first line.</summary>
    public string Choice { get; }

    /// <summary>What follows it.</summary>
    public string Rest { get; }

    /// <summary>A proof that a job may send to this audience, with the canary for a signature.</summary>
    public static string Proof(Audience audience) =>
        AnsweredJob.Jwt($$"""{"iss":"https://idp.example","sub":"job:orders","aud":"{{audience}}","exp":{{Proofs.Now.AddMinutes(10).ToUnixTimeSeconds()}}}""", canary: Canary);

    public char ChoiceAt(int index) => index < Choice.Length ? Choice[index] : '\0';

    /// <summary>A text with the secrets in the place of their marks.</summary>
    public static string Filled(string text, string proof = "")
    {
        string[] pieces = text.Split(JwtMark);
        for (int i = 1; i < pieces.Length - 1; i += 2)
            pieces[i] = AnsweredJob.Jwt(pieces[i], canary: Canary);
        return string.Concat(pieces).Replace(CanaryMark, Canary, StringComparison.Ordinal).Replace(ProofMark, proof, StringComparison.Ordinal);
    }
}
