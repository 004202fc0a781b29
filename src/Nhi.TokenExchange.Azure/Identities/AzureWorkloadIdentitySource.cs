namespace Nhi.TokenExchange;

/// <summary>The service account token that the webhook of Azure workload identity projects into a pod. The variable is read at each exchange, the file too.</summary>
/// <remarks>github.com/Azure/azure-workload-identity pkg/webhook/consts.go</remarks>
internal sealed class AzureWorkloadIdentitySource(Func<string, string?>? environment = null) : IWorkloadIdentitySource
{
    public const string TokenFile = "AZURE_FEDERATED_TOKEN_FILE";

    /// <summary>What makes the webhook set the variables.</summary>
    public const string Injection = "The webhook of Azure workload identity sets it in pods with the label azure.workload.identity/use: \"true\" (on the pod, not on the deployment alone) that run as an annotated service account.";

    private readonly Func<string, string?> _environment = environment ?? Environment.GetEnvironmentVariable;

    public ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken)
    {
        string path = _environment(TokenFile) ?? "";
        if (path.Length == 0)
        {
            throw new IdentityUnavailableException(ErrorCodes.ProofUnavailable, $"{TokenFile} is not set: this pod has no Azure workload identity.")
            {
                Hint = $"{Injection} Outside of Kubernetes use the identity source of the place where the job does run.",
            };
        }
        if (!Path.IsPathFullyQualified(path))
        {
            throw new IdentityUnavailableException(ErrorCodes.ProofUnavailable, $"{TokenFile} is not an absolute path.")
            {
                Hint = "The webhook sets it; nothing else should.",
            };
        }
        return IdentitySources.OidcFile(path).GetSubjectTokenAsync(request, cancellationToken);
    }

    public override string ToString() => "AzureWorkloadIdentity()";
}
