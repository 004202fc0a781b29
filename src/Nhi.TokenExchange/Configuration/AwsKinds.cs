namespace Nhi.TokenExchange;

/// <summary>The settings of the exchange with AWS STS.</summary>
internal static class AwsKinds
{
    // What an exchanger is made of where the settings are wrong; it is disposed of, never used.
    private const string PlaceholderRegion = "eu-central-1";
    private const string PlaceholderRole = "arn:aws:iam::000000000000:role/placeholder";

    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestMargin = TimeSpan.FromMinutes(10);

    public static TokenExchanger<AwsSessionCredentials> Sts(SettingsReader settings)
    {
        (string region, AwsPartition partition) = Region(settings);
        string role = settings.Text("RoleArn");
        string? misnamed = AwsArn.FaultOfRole(role, partition);
        if (misnamed is not null && settings.Has("RoleArn"))
            settings.Error("RoleArn", misnamed, $"{AwsArn.RoleForm}.");
        Uri? endpoint = settings.Has("Endpoint") ? settings.HttpsOrigin("Endpoint") : null;
        bool fips = settings.Flag("UseFips");
        if (fips && (endpoint is not null || !partition.HasFips))
            settings.Error("UseFips", endpoint is not null ? "is set beside Endpoint" : $"is set, and the partition '{partition.Name}' has no FIPS endpoint", "Leave it out.");
        string? audience = settings.OptionalText("SubjectAudience");
        string? name = settings.OptionalText("SessionName", AwsSessionName.FaultOf, "Write one, or leave it out: then it is made of the job's pipeline, run and task.");
        List<string> resources = settings.Entries("Resources", arn => AwsArn.FaultOfResource(arn, partition), "Write an ARN, such as arn:aws:s3:::orders/*.");
        if (AwsSessionPolicy.FaultOfLength(AwsSessionPolicy.Of(default, resources) ?? "") is { } tooLong)
        {
            settings.Error("Resources", tooLong, "Name fewer, or patterns of them.");
            resources.Clear();
        }
        List<string> policies = settings.Entries("PolicyArns", arn => AwsArn.FaultOfPolicy(arn, partition), $"{AwsArn.PolicyForm}.");
        if (policies.Count > 10)
            settings.Error("PolicyArns", $"has {policies.Count} entries; STS takes 10", "Leave some out.");
        string? policy = Policy(settings);
        TimeSpan margin = settings.Duration("UsableMargin", Margin, TimeSpan.Zero, LongestMargin);
        return misnamed is not null ? Targets.AwsSts(PlaceholderRole, PlaceholderRegion) : Targets.AwsSts(role, region, options =>
        {
            options.Endpoint = endpoint;
            options.UseFips = fips && endpoint is null && partition.HasFips;
            options.SubjectAudience = audience;
            options.SessionName = name;
            options.SessionPolicy = policy;
            options.UsableMargin = margin;
            foreach (string arn in resources)
                options.Resources.Add(arn);
            foreach (string arn in policies.Take(10))
                options.PolicyArns.Add(arn);
        });
    }

    private static (string Region, AwsPartition Partition) Region(SettingsReader settings)
    {
        string region = settings.Text("Region");
        if (AwsPartition.OfRegion(region) is { } partition)
            return (region, partition);
        if (settings.Has("Region"))
            settings.Error("Region", "is no region of AWS", "Write its name, such as eu-central-1; the global endpoint is not used.");
        return (PlaceholderRegion, AwsPartition.OfRegion(PlaceholderRegion)!);
    }

    private static string? Policy(SettingsReader settings)
    {
        const string Form = "Write a policy as one text, its quotes escaped: \"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[…]}\".";
        if (settings.OptionalText("SessionPolicy", Form) is not { } text)
            return null;
        if (settings.Has("Resources"))
        {
            settings.Error("SessionPolicy", "is set beside Resources", "Set one of them.");
            return null;
        }
        string? policy = AwsSessionPolicy.Read(text, out string? fault);
        if (fault is not null)
            settings.Error("SessionPolicy", fault, Form);
        return policy;
    }
}
