namespace Nhi.TokenExchange;

/// <summary>The settings of the exchanges with Vault and OpenBao.</summary>
internal static class VaultKinds
{
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestMargin = TimeSpan.FromMinutes(10);

    public static TokenExchanger<BearerToken> Login(SettingsReader settings)
    {
        Uri server = settings.HttpsOrigin("Server");
        VaultAuthMethod method = settings.OneOf<VaultAuthMethod>("Method");
        string? role = settings.OptionalText("Role");
        if (method == VaultAuthMethod.Kubernetes && role is null && !settings.Has("Role"))
            settings.Error("Role", "is missing; the Kubernetes auth method has no default role", "Write it.");
        string? mount = Path(settings, "Mount");
        string? ns = Path(settings, "Namespace");
        string? audience = settings.OptionalText("SubjectAudience");
        TimeSpan? wrap = Wrap(settings);
        TimeSpan margin = settings.Duration("UsableMargin", Margin, TimeSpan.Zero, LongestMargin);
        return Targets.VaultLogin(server, role ?? (method == VaultAuthMethod.Kubernetes ? "placeholder" : null), options =>
        {
            options.Method = method;
            options.Mount = mount;
            options.Namespace = ns;
            options.SubjectAudience = audience;
            options.WrapLifetime = wrap;
            options.UsableMargin = margin;
        });
    }

    public static TokenExchanger<VaultSecret> Secret(SettingsReader settings)
    {
        Uri server = settings.HttpsOrigin("Server");
        string path = settings.Text("Path");
        if (settings.Has("Path") && VaultPath.FaultOfSecret(path) is { } fault)
        {
            settings.Error("Path", fault, $"{VaultPath.Remedy}.");
            path = "placeholder";
        }
        VaultSecretMethod method = settings.OneOf<VaultSecretMethod>("Method");
        bool ends = settings.Flag("EndsWithLease");
        string? ns = Path(settings, "Namespace");
        TimeSpan? wrap = Wrap(settings);
        TimeSpan margin = settings.Duration("UsableMargin", Margin, TimeSpan.Zero, LongestMargin);
        return Targets.VaultSecret(server, path, options =>
        {
            options.Method = method;
            options.EndsWithLease = settings.Has("EndsWithLease") ? ends : null;
            options.Namespace = ns;
            options.WrapLifetime = wrap;
            options.UsableMargin = margin;
        });
    }

    private static TimeSpan? Wrap(SettingsReader settings) =>
        settings.Has("WrapLifetime") ? settings.Duration("WrapLifetime", VaultOptionChecks.ShortestWrap, VaultOptionChecks.ShortestWrap, VaultOptionChecks.LongestWrap) : null;

    private static string? Path(SettingsReader settings, string name)
    {
        if (settings.OptionalText(name) is not { } path || VaultPath.FaultOf(path) is not { } fault)
            return settings.OptionalText(name);
        settings.Error(name, fault, "Write segments divided by single slashes, such as acme/eu.");
        return null;
    }
}
