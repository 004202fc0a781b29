using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The claims that each platform puts into its proofs. Pages: GitHub "OpenID Connect reference"; Kubernetes "Service account token projection"; Azure DevOps "Oidctoken - Create".</summary>
internal static class ProofTemplates
{
    public static string DefaultSubject(ProofShape shape) => shape switch
    {
        ProofShape.GitHub => "repo:octo/orders:ref:refs/heads/main",
        ProofShape.GitHubImmutable => "repo:octo@1001/orders@2002:ref:refs/heads/main",
        ProofShape.Kubernetes => "system:serviceaccount:jobs:orders-nightly",
        ProofShape.AzureDevOpsConnection => "sc://octo/data/warehouse",
        _ => "p://octo/data/orders-nightly",
    };

    // GitHub: exp = iat + 300. Kubernetes: expirationSeconds defaults to 3600. Azure DevOps: 10 minutes.
    public static TimeSpan Life(ProofShape shape) => shape switch
    {
        ProofShape.GitHub or ProofShape.GitHubImmutable => TimeSpan.FromMinutes(5),
        ProofShape.Kubernetes => TimeSpan.FromHours(1),
        _ => TimeSpan.FromMinutes(10),
    };

    public static void AddVendorClaims(ProofShape shape, string subject, int number, JsonObject payload)
    {
        switch (shape)
        {
            case ProofShape.GitHub or ProofShape.GitHubImmutable:
                AddGitHub(subject, number, payload);
                break;
            case ProofShape.Kubernetes:
                AddKubernetes(subject, number, payload);
                break;
            default:
                AddAzureDevOps(number, payload);
                break;
        }
    }

    private static void AddGitHub(string subject, int number, JsonObject payload)
    {
        // repo:{owner}[@{id}]/{name}[@{id}]:{rest}
        string[] parts = subject.Split(':', 3);
        string[] names = parts.Length > 1 ? parts[1].Split('/', 2) : ["octo", "orders"];
        string[] owner = names[0].Split('@', 2);
        string[] name = names[^1].Split('@', 2);
        string rest = parts.Length > 2 ? parts[2] : "ref:refs/heads/main";
        string branch = rest.StartsWith("ref:", StringComparison.Ordinal) ? rest["ref:".Length..] : "refs/heads/main";
        if (rest.StartsWith("environment:", StringComparison.Ordinal))
            payload["environment"] = rest["environment:".Length..].Replace("%3A", ":", StringComparison.Ordinal);
        payload["repository"] = $"{owner[0]}/{name[0]}";
        payload["repository_owner"] = owner[0];
        payload["repository_owner_id"] = owner.Length > 1 ? owner[1] : "1001";
        payload["repository_id"] = name.Length > 1 ? name[1] : "2002";
        payload["repository_visibility"] = "private";
        payload["ref"] = branch;
        payload["ref_type"] = branch.StartsWith("refs/tags/", StringComparison.Ordinal) ? "tag" : "branch";
        payload["event_name"] = rest == "pull_request" ? "pull_request" : "schedule";
        payload["workflow"] = "nightly";
        payload["workflow_ref"] = $"{owner[0]}/{name[0]}/.github/workflows/nightly.yml@{branch}";
        payload["job_workflow_ref"] = $"{owner[0]}/{name[0]}/.github/workflows/nightly.yml@{branch}";
        payload["actor"] = owner[0];
        payload["run_id"] = "9000000001";
        payload["run_number"] = "1";
        payload["run_attempt"] = "1";
        payload["check_run_id"] = (70000000000L + number).ToString(System.Globalization.CultureInfo.InvariantCulture);
        payload["runner_environment"] = "github-hosted";
    }

    private static void AddKubernetes(string subject, int number, JsonObject payload)
    {
        // system:serviceaccount:{namespace}:{name}
        string[] parts = subject.Split(':');
        payload["kubernetes.io"] = new JsonObject
        {
            ["namespace"] = parts.Length > 2 ? parts[2] : "jobs",
            ["serviceaccount"] = new JsonObject { ["name"] = parts[^1], ["uid"] = "5a5a0000-0000-4000-8000-000000000001" },
            ["pod"] = new JsonObject { ["name"] = $"{parts[^1]}-{number}", ["uid"] = $"5a5a0000-0000-4000-8000-1{number:x11}" },
            ["node"] = new JsonObject { ["name"] = "node-1", ["uid"] = "5a5a0000-0000-4000-8000-000000000002" },
        };
    }

    private static void AddAzureDevOps(int number, JsonObject payload)
    {
        payload["org_id"] = "5a5a0000-0000-4000-8000-000000000003";
        payload["prj_id"] = "5a5a0000-0000-4000-8000-000000000004";
        payload["def_id"] = "17";
        payload["rpo_ref"] = "refs/heads/main";
        payload["run_id"] = number.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }
}
