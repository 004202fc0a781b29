namespace Nhi.TokenExchange;

/// <summary>A provider of a workload identity pool: whose proofs Google Cloud takes, and by which name it is called where.</summary>
/// <param name="Project">The number of the project.</param>
/// <param name="Pool">The pool's id.</param>
/// <param name="Id">The provider's id.</param>
internal sealed record GoogleProvider(string Project, string Pool, string Id)
{
    public const string Form = "Write its full name, with the project's number: projects/123456789012/locations/global/workloadIdentityPools/my-pool/providers/my-provider";

    private const string Service = "//iam.googleapis.com/";

    public string Name => $"projects/{Project}/locations/global/workloadIdentityPools/{Pool}/providers/{Id}";

    /// <summary>What STS is asked for.</summary>
    public string Audience => Service + Name;

    /// <summary>The audience of proofs that a provider takes that lists none.</summary>
    public string SubjectAudience => $"https:{Audience}";

    /// <summary>The name by which IAM knows a workload of the pool.</summary>
    public string Principal(string subject) => $"principal:{Service}projects/{Project}/locations/global/workloadIdentityPools/{Pool}/subject/{subject}";

    /// <summary>Reads a name, with or without <c>//iam.googleapis.com/</c>; null with what is wrong, a sentence without subject.</summary>
    public static GoogleProvider? Read(string text, out string? fault)
    {
        fault = null;
        string name = text.StartsWith(Service, StringComparison.Ordinal) ? text[Service.Length..] : text;
        if (text.StartsWith("https:", StringComparison.Ordinal) || text.Contains("/workforcePools/", StringComparison.Ordinal))
            fault = text.StartsWith("https:", StringComparison.Ordinal) ? "begins with https:, which belongs to the audience of proofs alone" : "is of a workforce pool, which is for people";
        else if (name.Split('/') is not ["projects", var project, "locations", "global", "workloadIdentityPools", var pool, "providers", var id])
            fault = "is no full name of a provider";
        else if (project.Length == 0 || !project.All(char.IsAsciiDigit))
            fault = "has no number for its project: the project's id does not do here";
        else if (!IsId(pool) || !IsId(id))
            fault = "has a pool or a provider that is no id: 4 to 32 small letters, digits and hyphens";
        else
            return new GoogleProvider(project, pool, id);
        return null;
    }

    private static bool IsId(string text) => text.Length is >= 4 and <= 32 && text.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-');
}
