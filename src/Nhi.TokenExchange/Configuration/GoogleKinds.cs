namespace Nhi.TokenExchange;

/// <summary>The settings of the exchange with Google Cloud.</summary>
internal static class GoogleKinds
{
    // What an exchanger is made of where the settings are wrong; it is disposed of, never used.
    private const string Placeholder = "projects/0/locations/global/workloadIdentityPools/placeholder/providers/placeholder";
    private const string PublicDomain = "googleapis.com";

    public static TokenExchanger<BearerToken> Sts(SettingsReader settings)
    {
        string provider = settings.Text("Provider");
        if (GoogleProvider.Read(provider, out string? fault) is null)
        {
            if (settings.Has("Provider"))
                settings.Error("Provider", fault!, $"{GoogleProvider.Form}.");
            provider = Placeholder;
        }
        string? account = settings.OptionalText("ServiceAccount", GoogleNames.FaultOfAccount, "Write its email.");
        List<string> delegates = settings.Entries("Delegates", GoogleNames.FaultOfAccount, "Write the email of each.");
        if (delegates.Count > 0 && !settings.Has("ServiceAccount"))
            settings.Error("Delegates", "are set without ServiceAccount", "Set both, or none.");
        List<string> resources = settings.Entries("Resources", GoogleNames.FaultOfBucket, "Write the bucket's full name.");
        if (resources.Count > GoogleBoundary.MostRules)
            settings.Error("Resources", $"has {resources.Count} entries; a boundary has at most {GoogleBoundary.MostRules}", "Leave some out.");
        List<string> permissions = settings.Entries("Permissions", GoogleNames.FaultOfPermission, "Write a role behind inRole:.");
        if (settings.Has("Resources") != settings.Has("Permissions"))
            settings.Error(settings.Has("Resources") ? "Permissions" : "Resources", $"is missing, while {(settings.Has("Resources") ? "Resources" : "Permissions")} is set: they make one boundary", "Set both, or none.");
        string? audience = settings.OptionalText("SubjectAudience");
        string domain = settings.OptionalText("UniverseDomain", GoogleNames.FaultOfDomain, "Write it, or leave it out.") ?? PublicDomain;
        Uri? sts = settings.Has("StsEndpoint") ? settings.HttpsOrigin("StsEndpoint") : null;
        Uri? iam = settings.Has("IamEndpoint") ? settings.HttpsOrigin("IamEndpoint") : null;
        TimeSpan margin = settings.Duration("UsableMargin", TimeSpan.FromSeconds(10), TimeSpan.Zero, TimeSpan.FromMinutes(10));
        return Targets.GoogleSts(provider, options =>
        {
            options.ServiceAccount = account;
            options.SubjectAudience = audience;
            options.UniverseDomain = domain;
            options.StsEndpoint = sts;
            options.IamEndpoint = iam;
            options.UsableMargin = margin;
            Add(options.Delegates, account is null ? [] : delegates);
            Add(options.Resources, permissions.Count == 0 ? [] : resources.Take(GoogleBoundary.MostRules));
            Add(options.Permissions, resources.Count == 0 ? [] : permissions);
        });
    }

    private static void Add(IList<string> to, IEnumerable<string> values)
    {
        foreach (string value in values)
            to.Add(value);
    }
}
