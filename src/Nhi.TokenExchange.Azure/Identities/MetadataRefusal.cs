using System.Net;

namespace Nhi.TokenExchange;

/// <summary>Says why a managed identity gave no token, and what to do.</summary>
internal static class MetadataRefusal
{
    private const string LookedFor = "Looked for: IDENTITY_ENDPOINT (App Service, Functions, Container Apps, Service Fabric, Arc), MSI_ENDPOINT (Azure Machine Learning), AZURE_POD_IDENTITY_AUTHORITY_HOST, the agent of Azure Arc, and the instance metadata service at 169.254.169.254.";

    private const string Elsewhere = "In AKS use IdentitySources.AzureWorkloadIdentity(), in GitHub Actions IdentitySources.GitHubActions(), else the source of the place where the job runs.";

    public static IdentityUnavailableException APersons(MetadataHost host) =>
        new(ErrorCodes.ProofOfAPerson, $"MSI_ENDPOINT without MSI_SECRET is {host.Name}, whose identity is that of the person before it. It was not asked.")
        {
            Hint = "Run the job where it has an identity of its own. For development use IdentitySources.From(credential, allowPersonInDevelopment: true) with ActsFor.PersonInDevelopment.",
        };

    public static IdentityUnavailableException UserAssigned(AzureManagedIdentityId id, string host) =>
        new(ErrorCodes.ProofUnavailable, $"A user-assigned identity was asked for ({id}); {host} takes no such id.")
        {
            Hint = "On Azure Arc use the system-assigned identity (leave the id out); Service Fabric takes AzureManagedIdentityId.FromObjectId, Azure Machine Learning FromClientId.",
        };

    /// <summary>Nobody is there.</summary>
    /// <param name="host">Which host.</param>
    /// <param name="reason">What came of the connection.</param>
    /// <param name="mayStart">Whether the machine may still be starting.</param>
    public static IdentityUnavailableException NoConnection(MetadataHost host, string reason, bool mayStart) => host.IsDeclared
        ? new(ErrorCodes.ProofUnavailable, $"{Named(host)}, which the environment declares, was not reached within 30 s ({reason}).")
        {
            IsTransient = true, Hint = "Check that the identity endpoint of this host runs, and that the variable which names it (IDENTITY_ENDPOINT, MSI_ENDPOINT, AZURE_POD_IDENTITY_AUTHORITY_HOST) is the platform's own.",
        }
        : new(ErrorCodes.ProofUnavailable, $"There is no managed identity here: no variable declares one, and nothing answers at {host.Address.Host} ({reason}).")
        {
            IsTransient = mayStart,
            Hint = $"{(mayStart ? "Where there should be one, its endpoint may not be up yet: ask again. " : "")}{LookedFor} {(Environment.GetEnvironmentVariable(AzureWorkloadIdentitySource.TokenFile) is { Length: > 0 } ? $"{AzureWorkloadIdentitySource.TokenFile} is set: this pod has Azure workload identity. " : "")}{Elsewhere}",
        };

    public static IdentityUnavailableException NoAnswer(MetadataHost host, int tries, string what) =>
        new(ErrorCodes.ProofUnavailable, $"{Named(host)} gave no token: {what}, in {tries} tries.")
        {
            IsTransient = true, Hint = "It may be starting, or overloaded: the metadata service takes 20 requests a second, 5 at once, for all processes of the machine.",
        };

    public static IdentityUnavailableException Certificate(MetadataHost host) =>
        new(ErrorCodes.ProofUnavailable, $"{Named(host)} at {ExceptionText.Clean(host.Address.Authority)} presented a certificate that was not accepted.")
        {
            Hint = "Service Fabric's is the one that IDENTITY_SERVER_THUMBPRINT names; another must be valid for its name. Verification can't be switched off.",
        };

    /// <summary>Token and identity header would go in the clear to somebody who may be anywhere.</summary>
    public static IdentityUnavailableException InTheClear(MetadataHost host, string address) =>
        new(ErrorCodes.ProofUnavailable, $"{host.Variable} names {ExceptionText.Clean(host.Address.Authority)} ({ExceptionText.Clean(address)}) in plain http; {host.Name} is spoken to in plain http at loopback, link-local and private addresses alone. Nothing was sent.")
        {
            Hint = $"The platform sets {host.Variable}; nothing else should. Find out what set it.",
        };

    /// <summary>The agent of Azure Arc names a key file that is not one of its own, or that can't be read.</summary>
    public static IdentityUnavailableException KeyFile(MetadataHost host, string flaw, string folder) =>
        new(ErrorCodes.ProofUnavailable, $"{host.Name} wants to see a key file, but {flaw}.")
        {
            Hint = $"The agent's key files are those in {folder} that end in .key. To read them this process must be in the group himds (Administrators on Windows). If it is, see whether the agent (azcmagent show) answers at {ExceptionText.Clean(host.Address.Authority)}.",
        };

    public static IdentityUnavailableException NotAMetadataService(MetadataHost host, MetadataAnswer answer) =>
        new(ErrorCodes.ProofUnavailable, $"What answered at {ExceptionText.Clean(host.Address.Authority)} is not a metadata service: status {(int)answer.Status}, content type {answer.ContentType}{(answer.IsJson ? ", no access_token" : ", no JSON of at most 64 KiB")}.")
        {
            Hint = "A proxy, a sign-in page or another program stands at that address; requests to it never go through a proxy from here.",
        };

    public static IdentityUnavailableException NoEnd(MetadataHost host) =>
        new(ErrorCodes.ProofMalformed, $"{Named(host)} gave a token without an end that can be read (expires_on).") { Hint = "Check that the address is the platform's own." };

    /// <summary>An answer that is no token.</summary>
    public static IdentityUnavailableException Of(AzureManagedIdentityId id, MetadataHost host, MetadataAnswer answer, TimeSpan? retryAfter, int tries)
    {
        bool mayPass = host.MayPass(answer.Status);
        if (!mayPass && (!answer.IsJson || (int)answer.Status < 400) && !IsPlainText(answer))
            return NotAMetadataService(host, answer);
        string said = $"{(answer.Error is { Length: > 0 } error ? $" {error}" : "")}{(answer.Description is { } description ? $": {description}" : "")}";
        return new IdentityUnavailableException(ErrorCodes.ProofUnavailable, $"{Named(host)} gave no token for {id}: {(tries > 1 ? $"in {tries} tries, last " : "")}status {(int)answer.Status}{said}{(answer.IsJson ? "" : $" (content type {answer.ContentType})")}.")
        {
            IsTransient = mayPass, RetryAfter = mayPass ? retryAfter : null, IssuerError = answer.Error, Hint = HintFor(id, host, answer),
        };
    }

    private static string HintFor(AzureManagedIdentityId id, MetadataHost host, MetadataAnswer answer) => answer.Status switch
    {
        HttpStatusCode.BadRequest when answer.Error == "invalid_resource" => "Entra ID does not know the audience in the tenant of this identity: check the target's audience or resource. As a proof for an application it is api://AzureADTokenExchange.",
        HttpStatusCode.BadRequest => id.IsSystemAssigned
            ? "Switch on the system-assigned identity of this resource; where user-assigned ones are assigned, name one: IdentitySources.ManagedIdentity(AzureManagedIdentityId.FromClientId(…))."
            : "Assign this identity to this resource, and compare the kind of id: client id, object (principal) id and resource id are three things.",
        HttpStatusCode.NotFound => "The identity may have been assigned just now, or the endpoint be in an update; ask again.",
        HttpStatusCode.Gone => "The metadata service is in an update, which takes up to 70 s.",
        HttpStatusCode.TooManyRequests => "The metadata service takes 20 requests a second, 5 at once, for all processes of the machine.",
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden when host.Challenges => "The agent refuses this process: it must be in the group himds (Administrators on Windows).",
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden when host.IsInstanceMetadata => "The metadata service has no identity for this process, or something in between refuses: a proxy of pod identity, a network policy, the metadata security protocol of the machine. See which identities are assigned to the machine.",
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => $"The host refuses this process: the header that goes with {host.Variable} is set by the platform for each process, and is good there alone.",
        _ => "See the health of the platform.",
    };

    // The proxy of pod identity refuses in plain text (Azure/azure-sdk-for-net#19242).
    private static bool IsPlainText(MetadataAnswer answer) => answer.ContentType == "text/plain" && (int)answer.Status >= 400;

    private static string Named(MetadataHost host) => char.ToUpperInvariant(host.Name[0]) + host.Name[1..];
}
