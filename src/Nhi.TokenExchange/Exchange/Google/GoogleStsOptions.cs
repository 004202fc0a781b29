namespace Nhi.TokenExchange;

/// <summary>What may be said about an access token of Google Cloud.</summary>
/// <remarks>The target's scopes are asked for, such as <c>https://www.googleapis.com/auth/devstorage.read_only</c>; one that names none gets <c>https://www.googleapis.com/auth/cloud-platform</c>: then IAM alone limits it.</remarks>
public sealed class GoogleStsOptions
{
    /// <summary>The service account to act as, by its email: its token is what comes. Null, the default: the token stands for the workload itself, as the pool maps it.</summary>
    public string? ServiceAccount { get; set; }

    /// <summary>Service accounts in between, each of which may make tokens for the next, the last one for <see cref="ServiceAccount"/>. None by default.</summary>
    public IList<string> Delegates { get; } = [];

    /// <summary>The buckets of Cloud Storage that the token is for, at most 10, such as <c>//storage.googleapis.com/projects/_/buckets/orders</c>: a credential access boundary. None, the default: no boundary. A policy of ours leaves fewer.</summary>
    public IList<string> Resources { get; } = [];

    /// <summary>What may be done in each of <see cref="Resources"/> at most, such as <c>inRole:roles/storage.objectViewer</c>. Set with them, and not without.</summary>
    public IList<string> Permissions { get; } = [];

    /// <summary>For whom the proof has to be made. Default: the provider's own name, <c>https://iam.googleapis.com/projects/…</c>, which a provider that lists no audience takes.</summary>
    public string? SubjectAudience { get; set; }

    /// <summary>The domain of the services, for a cloud of Google's that is not the public one. Default <c>googleapis.com</c>.</summary>
    public string UniverseDomain { get; set; } = "googleapis.com";

    /// <summary>Another address of the Security Token Service: scheme, host, port. Default <c>https://sts.googleapis.com</c>.</summary>
    public Uri? StsEndpoint { get; set; }

    /// <summary>Another address of the IAM Service Account Credentials API: scheme, host, port. Default <c>https://iamcredentials.googleapis.com</c>.</summary>
    public Uri? IamEndpoint { get; set; }

    /// <summary>How long before its end a token is handed out no more. Default 10 seconds; from 0 to 10 minutes.</summary>
    public TimeSpan UsableMargin { get; set; } = TimeSpan.FromSeconds(10);
}
