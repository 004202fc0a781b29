namespace Nhi.TokenExchange;

/// <summary>Where the issuer is and what the job proves itself with, as whoever starts the process says.</summary>
internal static class Place
{
    public const string ProofVariable = "COLD_START_PROOF";

    public static Uri Issuer { get; } = new(Environment.GetEnvironmentVariable("COLD_START_ISSUER") ?? throw new InvalidOperationException("COLD_START_ISSUER is not set."));

    public static Uri TokenEndpoint { get; } = new(Issuer, "token");

    public static string Proof { get; } = Environment.GetEnvironmentVariable(ProofVariable) ?? throw new InvalidOperationException(ProofVariable + " is not set.");
}
