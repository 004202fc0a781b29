using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>The settings of static keys: where they are kept, whose they are, until when, and where they go.</summary>
internal static class StaticKeyKinds
{
    private const string InstantRemedy = "Write an instant with its zone, such as 2027-01-31T00:00:00Z, at most a year ahead.";

    // With the zone, or nobody knows which of a day's instants is meant.
    private static readonly string[] InstantForms = ["yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:sszzz"];

    // Stands in where a setting is wrong, which is noted.
    private static readonly Uri PlaceholderVault = new("https://placeholder.vault.azure.net/");

    public static TokenExchanger InVault(SettingsReader settings)
    {
        Uri server = settings.HttpsOrigin("Server");
        string path = PathOf(settings, "Path", settings.Text("Path"), VaultPath.FaultOf) ?? "placeholder";
        string mount = settings.OptionalText("Mount") is { } said ? PathOf(settings, "Mount", said, VaultPath.FaultOfSecret) ?? "secret" : "secret";
        VaultKvEngine engine = settings.OneOf<VaultKvEngine>("Engine");
        string field = settings.OptionalText("Field") ?? "value";
        if (VaultKeyStore.FaultOfField(field) is { } fault)
        {
            settings.Error("Field", fault, "Write the name of the field that is the key.");
            field = "value";
        }
        string? ns = settings.OptionalText("Namespace") is { } name ? PathOf(settings, "Namespace", name, VaultPath.FaultOf) : null;
        (string owner, DateTimeOffset until) = Terms(settings);
        Action<StaticKeyHeaderOptions> header = Header(settings);
        return Targets.VaultStaticKey(server, path, owner, until, options =>
        {
            options.Mount = mount;
            options.Engine = engine;
            options.Field = field;
            options.Namespace = ns;
            header(options.Header);
        });
    }

    public static TokenExchanger InKeyVault(SettingsReader settings)
    {
        Uri vault = settings.HttpsOrigin("Vault");
        if (KeyVaultNames.FaultOfVault(vault) is { } elsewhere)
        {
            if (settings.Has("Vault") && !vault.IdnHost.EndsWith(".invalid", StringComparison.Ordinal))   // else it is noted already
                settings.Error("Vault", elsewhere, KeyVaultNames.VaultRemedy);
            vault = PlaceholderVault;
        }
        string name = settings.Text("Name");
        if (settings.Has("Name") && KeyVaultNames.FaultOfName(name) is { } unnamed)
        {
            settings.Error("Name", unnamed, KeyVaultNames.NameRemedy);
            name = "placeholder";
        }
        string? version = settings.OptionalText("Version");
        if (version is not null && KeyVaultNames.FaultOfVersion(version) is { } unversioned)
        {
            settings.Error("Version", unversioned, KeyVaultNames.VersionRemedy);
            version = null;
        }
        (string owner, DateTimeOffset until) = Terms(settings);
        Action<StaticKeyHeaderOptions> header = Header(settings);
        return Targets.KeyVaultStaticKey(vault, name, owner, until, options =>
        {
            options.Version = version;
            header(options.Header);
        });
    }

    private static string? PathOf(SettingsReader settings, string setting, string path, Func<string, string?> faultOf)
    {
        if (faultOf(path) is not { } fault)
            return path;
        settings.Error(setting, fault, $"{VaultPath.Remedy}.");
        return null;
    }

    private static (string Owner, DateTimeOffset Until) Terms(SettingsReader settings)
    {
        string owner = settings.Text("Owner");
        if (StaticKeyTerms.FaultOfOwner(owner) is { } fault)
        {
            settings.Error("Owner", fault, StaticKeyTerms.OwnerRemedy);
            owner = "placeholder";
        }
        string until = settings.Text("Until");
        if (DateTimeOffset.TryParseExact(until, InstantForms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset instant))
            return (owner, instant.ToUniversalTime());
        if (settings.OptionalText("Until") is not null)
            settings.Error("Until", "is no instant with its zone", InstantRemedy);
        return (owner, DateTimeOffset.UnixEpoch);
    }

    private static Action<StaticKeyHeaderOptions> Header(SettingsReader settings)
    {
        var read = new StaticKeyHeaderOptions { Name = settings.OptionalText("Header"), Scheme = settings.OptionalText("Scheme"), User = settings.OptionalText("User") };
        if (StaticKeyHeader.FaultOf(read) is { } fault)
        {
            settings.Error(fault.Setting == nameof(StaticKeyHeaderOptions.Name) ? "Header" : fault.Setting, fault.What, fault.Remedy);
            return options => options.Name = "X-Placeholder";
        }
        return options =>
        {
            options.Name = read.Name;
            options.Scheme = read.Scheme;
            options.User = read.User;
        };
    }
}
