namespace Nhi.TokenExchange;

/// <summary>Whose proof is imitated: the subject's grammar, the claims and the life are that platform's.</summary>
public enum ProofShape
{
    /// <summary>GitHub Actions, subject <c>repo:owner/name:ref:refs/heads/main</c>; lives 5 minutes.</summary>
    GitHub,

    /// <summary>GitHub Actions with immutable subject, <c>repo:owner@id/name@id:…</c> (repositories since 15 July 2026); lives 5 minutes.</summary>
    GitHubImmutable,

    /// <summary>Kubernetes projected service account token, <c>system:serviceaccount:namespace:name</c>; lives 1 hour.</summary>
    Kubernetes,

    /// <summary>Azure DevOps with a service connection, <c>sc://organisation/project/connection</c>; lives 10 minutes.</summary>
    AzureDevOpsConnection,

    /// <summary>Azure DevOps without a service connection, <c>p://organisation/project/pipeline</c>; lives 10 minutes.</summary>
    AzureDevOpsPipeline,
}
