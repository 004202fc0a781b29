namespace Nhi.TokenExchange;

#pragma warning disable CA1064 // It never leaves this assembly: the server turns it into an answer.
/// <summary>A request that the emulated Vault refuses.</summary>
internal sealed class VaultDenied(int status, string reason, params string[] errors) : Exception
{
    public int Status => status;

    /// <summary>The name of the check that said no.</summary>
    public string Reason => reason;

    public IReadOnlyList<string> Errors => errors;

    // As Vault joins them.
    public static VaultDenied Permission(string reason) => new(403, reason, "1 error occurred:\n\t* permission denied\n\n");

    public static VaultDenied DeadToken() => new(403, "token_dead", "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n");

    public static VaultDenied NotFound(string reason) => new(404, reason);
}
