namespace Nhi.TokenExchange;

/// <summary>The kinds that this package brings, and their settings.</summary>
internal static class AzureKinds
{
    // Stands in where a setting is wrong, which is noted; what is made of it is thrown away.
    private const string PlaceholderId = "00000000-0000-4000-8000-000000000001";

    public static IWorkloadIdentitySource ManagedIdentitySource(SettingsReader settings)
    {
        string? clientId = settings.OptionalText("ClientId"), objectId = settings.OptionalText("ObjectId"), resourceId = settings.OptionalText("ResourceId");
        if (new[] { clientId, objectId, resourceId }.Count(id => id is not null) > 1)
            settings.Error("", "names the identity more than once", "Write one of ClientId, ObjectId and ResourceId, or none for the system-assigned identity.");
        if (resourceId is not null)
        {
            if (AzureManagedIdentityId.FlawOfResourceId(resourceId) is not { } flaw)
                return IdentitySources.ManagedIdentity(AzureManagedIdentityId.FromResourceId(resourceId));
            settings.Error("ResourceId", flaw, "Copy it from the properties of the identity.");
        }
        if (clientId is not null)
            return IdentitySources.ManagedIdentity(AzureManagedIdentityId.FromClientId(Id(settings, "ClientId", clientId)));
        return objectId is null
            ? IdentitySources.ManagedIdentity()
            : IdentitySources.ManagedIdentity(AzureManagedIdentityId.FromObjectId(Id(settings, "ObjectId", objectId)));
    }

    public static TokenExchanger<BearerToken> Entra(SettingsReader settings)
    {
        string tenant = Needed(settings, "TenantId") is { } named ? Tenant(settings, "TenantId", named) : PlaceholderId;
        string client = Needed(settings, "ClientId") is { } id ? Id(settings, "ClientId", id) : PlaceholderId;
        Uri? host = settings.OptionalText("AuthorityHost") is null ? null : settings.HttpsOrigin("AuthorityHost");
        Action<EntraOptions> configure = Options(settings);
        return Targets.Entra(tenant, client, options =>
        {
            configure(options);
            options.AuthorityHost = host ?? options.AuthorityHost;
        });
    }

    public static TokenExchanger<BearerToken> EntraWorkloadIdentity(SettingsReader settings) => Targets.EntraWorkloadIdentity(Options(settings));

    public static TokenExchanger<BearerToken> ManagedIdentity(SettingsReader settings)
    {
        if (Needed(settings, "Resource") is not { } text)
            return Targets.ManagedIdentity(PlaceholderId);
        string resource = EntraScope.ResourceOf(text);
        if (ManagedIdentityExchanger.FlawOfResource(resource) is not { } flaw)
            return Targets.ManagedIdentity(resource);
        settings.Error("Resource", flaw, "Write the App ID URI, such as https://storage.azure.com.");
        return Targets.ManagedIdentity(PlaceholderId);
    }

    private static Action<EntraOptions> Options(SettingsReader settings)
    {
        string? audience = settings.OptionalText("SubjectAudience");
        string? issuer = settings.OptionalText("ExpectedIssuer");
        string? subject = settings.OptionalText("ExpectedSubject");
        TimeSpan budget = settings.Duration("PropagationBudget", TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromMinutes(5));
        string[] tenants = [.. settings.List("AllowedTenants").Select((tenant, index) => Tenant(settings, $"AllowedTenants:{index}", tenant))];
        bool acceptsClaims = Switch(settings, "AcceptClaimsChallenges");
        return options =>
        {
            options.SubjectAudience = audience;
            options.ExpectedIssuer = issuer;
            options.ExpectedSubject = subject;
            options.PropagationBudget = budget;
            options.AcceptClaimsChallenges = acceptsClaims;
            foreach (string tenant in tenants)
                options.AllowedTenants.Add(tenant);
        };
    }

    private static bool Switch(SettingsReader settings, string name)
    {
        string? text = settings.OptionalText(name);
        if (text is not (null or "true" or "True" or "false" or "False"))
            settings.Error(name, "is neither true nor false", "Write true or false.");
        return text is "true" or "True";
    }

    // Null: it is missing or wrong, which the reader notes, once.
    private static string? Needed(SettingsReader settings, string name)
    {
        string text = settings.Text(name);
        return settings.OptionalText(name) is null ? null : text;
    }

    private static string Tenant(SettingsReader settings, string name, string tenant)
    {
        if (EntraNames.FlawOfTenant(tenant) is not { } flaw)
            return tenant;
        settings.Error(name, flaw, "Write the tenant's id, which the Entra admin center shows under Overview.");
        return PlaceholderId;
    }

    private static string Id(SettingsReader settings, string name, string id)
    {
        if (EntraNames.FlawOfClientId(id) is null)
            return id;
        settings.Error(name, name == "ObjectId" ? "is not an object (principal) id: a GUID" : EntraNames.FlawOfClientId(id)!, "Write the GUID that the Entra admin center shows.");
        return PlaceholderId;
    }
}
