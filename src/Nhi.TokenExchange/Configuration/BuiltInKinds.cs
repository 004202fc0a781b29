namespace Nhi.TokenExchange;

/// <summary>The kinds that this package brings, and their settings.</summary>
internal static class BuiltInKinds
{
    private const string DetailsRemedy = "Write a JSON array of objects as one text, its quotes escaped: \"[{\\\"type\\\":\\\"…\\\",\\\"actions\\\":[\\\"…\\\"]}]\".";

    // Where Databricks workspaces and accounts live: AWS, Azure, Google Cloud, and the clouds of governments and China.
    private static readonly string[] DatabricksDomains = [".databricks.com", ".azuredatabricks.net", ".databricks.us", ".azuredatabricks.us", ".databricks.mil", ".databricks.azure.cn", ".databricks.azure.us"];

    public static Kinds Make()
    {
        var kinds = new Kinds();
        kinds.Add("OidcFile", settings => IdentitySources.OidcFile(settings.FilePath("Path")));
        kinds.Add("OidcEnvironmentVariable", settings => IdentitySources.OidcEnvironmentVariable(Variable(settings)));
        kinds.Add("GitHubActions", _ => IdentitySources.GitHubActions());
        kinds.Add("Databricks", Databricks);
        kinds.Add("Rfc8693", Rfc8693);
        kinds.Add("JwtBearer", JwtBearer);
        kinds.Add("AwsSts", AwsKinds.Sts);
        kinds.Add("GoogleSts", GoogleKinds.Sts);
        kinds.Add("VaultLogin", VaultKinds.Login);
        kinds.Add("VaultSecret", VaultKinds.Secret);
        kinds.Add("VaultStaticKey", StaticKeyKinds.InVault);
        kinds.Add("KeyVaultStaticKey", StaticKeyKinds.InKeyVault);
        return kinds;
    }

    private static string Variable(SettingsReader settings)
    {
        string name = settings.Text("Variable");
        if (name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
            return name;
        settings.Error("Variable", "is not the name of a variable", "Write its name alone: letters, digits and underscores, no $ and no value.");
        return "PLACEHOLDER";
    }

    private static TokenExchanger<BearerToken> Databricks(SettingsReader settings)
    {
        Uri host = DatabricksHost(settings);
        string? clientId = settings.OptionalText("ClientId");
        if (clientId is not null && (!Guid.TryParse(clientId, out Guid id) || id == Guid.Empty))
        {
            settings.Error("ClientId", "is not the application id of a service principal", "Write its GUID, which the workspace shows under Settings, Identity and access, Service principals.");
            clientId = null;
        }
        string? account = DatabricksAccount(settings, host);
        string? audience = settings.OptionalText("SubjectAudience");
        DatabricksDialect dialect = settings.OneOf<DatabricksDialect>("Dialect");
        string? details = settings.OptionalText("AuthorizationDetails", DetailsRemedy);
        if (details is not null && AuthorizationDetailsCheck.FaultOfAsked(details) is { } fault)
        {
            settings.Error("AuthorizationDetails", fault, DetailsRemedy);
            details = null;
        }
        bool unstated = settings.Flag("AllowUnstatedDetails");
        if (unstated && !settings.Has("AuthorizationDetails"))
            settings.Error("AllowUnstatedDetails", "is set without AuthorizationDetails", "Set both or neither.");
        TimeSpan margin = settings.Duration("UsableMargin", TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(10));
        return Targets.Databricks(host, clientId, options =>
        {
            options.AccountId = account;
            options.SubjectAudience = audience;
            options.Dialect = dialect;
            options.AuthorizationDetails = details;
            options.AllowUnstatedDetails = unstated && details is not null;
            options.UsableMargin = margin;
        });
    }

    private static string? DatabricksAccount(SettingsReader settings, Uri host)
    {
        string? account = settings.OptionalText("AccountId");
        if (account is null && !settings.Has("AccountId") && DatabricksExchanger.IsAccountsHost(host))
            settings.Error("AccountId", "is missing, while Host is the accounts'", "Write the id that the account console shows, or the host of a workspace.");
        else if (account is not null && !account.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-'))
            settings.Error("AccountId", "has other characters than letters, digits and hyphens", "Write the id that the account console shows, and nothing else.");
        else
            return account;
        return "placeholder";
    }

    // A host that calls itself Databricks and is elsewhere is a slip or a trap: it would be sent the job's proof.
    private static Uri DatabricksHost(SettingsReader settings)
    {
        Uri host = settings.HttpsOrigin("Host");
        string? allowed = settings.OptionalText("AllowHost");
        bool isLookAlike = host.IdnHost.Contains("databricks", StringComparison.OrdinalIgnoreCase)
            && !DatabricksDomains.Any(domain => host.IdnHost.EndsWith(domain, StringComparison.OrdinalIgnoreCase));
        if (isLookAlike && !string.Equals(allowed, host.IdnHost, StringComparison.OrdinalIgnoreCase))
            settings.Error("Host", "is not an address of Databricks, though it has the name in it", "Correct it; if it is meant, repeat the host alone as AllowHost.");
        return host;
    }

    private static TokenExchanger<BearerToken> Rfc8693(SettingsReader settings)
    {
        Uri issuer = settings.HttpsUri("Issuer");
        (Uri? tokenEndpoint, Uri? revocationEndpoint) = Endpoints(settings);
        string? clientId = settings.OptionalText("ClientId");
        string? subjectAudience = settings.OptionalText("SubjectAudience");
        IReadOnlyList<string> audiences = settings.List("Audiences");
        List<Uri> resources = Resources(settings);
        return Targets.Rfc8693(issuer, options =>
        {
            options.TokenEndpoint = tokenEndpoint;
            options.RevocationEndpoint = revocationEndpoint;
            options.Client.Id = clientId;
            options.SubjectAudience = subjectAudience;
            foreach (string audience in audiences)
                options.Audiences.Add(audience);
            foreach (Uri resource in resources)
                options.Resources.Add(resource);
        });
    }

    private static TokenExchanger<BearerToken> JwtBearer(SettingsReader settings)
    {
        Uri issuer = settings.HttpsUri("Issuer");
        (Uri? tokenEndpoint, Uri? revocationEndpoint) = Endpoints(settings);
        string? clientId = settings.OptionalText("ClientId");
        string? subjectAudience = settings.OptionalText("SubjectAudience");
        List<Uri> resources = Resources(settings);
        return Targets.JwtBearer(issuer, options =>
        {
            options.TokenEndpoint = tokenEndpoint;
            options.RevocationEndpoint = revocationEndpoint;
            options.Client.Id = clientId;
            options.SubjectAudience = subjectAudience;
            foreach (Uri resource in resources)
                options.Resources.Add(resource);
        });
    }

    private static (Uri? Token, Uri? Revocation) Endpoints(SettingsReader settings)
    {
        Uri? token = OptionalUri(settings, "TokenEndpoint");
        Uri? revocation = OptionalUri(settings, "RevocationEndpoint");
        if (settings.Has("TokenEndpoint") || !settings.Has("RevocationEndpoint"))
            return (token, revocation);
        settings.Error("RevocationEndpoint", "is set without TokenEndpoint", "Set both, or none to discover them.");
        return (null, null);
    }

    private static Uri? OptionalUri(SettingsReader settings, string name) => settings.Has(name) ? settings.HttpsUri(name) : null;

    private static List<Uri> Resources(SettingsReader settings)
    {
        var resources = new List<Uri>();
        foreach ((string entry, string text) in settings.Entries("Resources"))
        {
            if (ResourceIndicator.FaultOf(text) is { } fault)
                settings.Error(entry, fault, ResourceIndicator.Remedy);
            else
                resources.Add(new Uri(text));
        }
        return resources;
    }
}
