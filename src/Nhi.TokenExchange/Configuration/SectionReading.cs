using Microsoft.Extensions.Configuration;

namespace Nhi.TokenExchange;

/// <summary>Reads our section of a configuration into a builder's declarations: job, identities, targets. The shape is closed.</summary>
internal sealed class SectionReading
{
    internal const string SmallestSection =
        """{ "Identities": { "job": { "Source": "OidcFile", "Path": "/var/run/secrets/job/token" } }, "Targets": { "warehouse": { "Identity": "job", "Exchange": "Databricks", "Host": "https://workspace.example", "Scopes": [ "sql" ] } } }""";

    private static readonly TimeSpan ShortestLife = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestLife = TimeSpan.FromHours(12);

    private readonly ConfigurationErrors _errors;
    private readonly Kinds _kinds;

    public SectionReading(ConfigurationErrors errors, Kinds kinds)
    {
        _errors = errors;
        _kinds = kinds;
    }

    public JobContext Job { get; private set; } = JobContext.Unnamed;

    /// <summary>Whether the runtime's variables say what the job leaves out; null if the section does not say.</summary>
    public bool? JobFromRuntime { get; private set; }

    public TimeSpan? EndWithin { get; private set; }

    public TimeSpan? MaxDuration { get; private set; }

    public string? KillSwitch { get; private set; }

    public string? Journal { get; private set; }

    public bool? FailOnUnrevoked { get; private set; }

    /// <summary>The absolute path of the policy's file.</summary>
    public string? PolicyFile { get; private set; }

    /// <summary>The remote decision point; null if the section names none.</summary>
    public IAccessPolicy? RemotePolicy { get; private set; }

    /// <summary>Whether the section names a policy, though perhaps wrongly, which is noted.</summary>
    public bool IsPolicySaid { get; private set; }

    /// <summary>Where the audit is recorded; null if the section does not say.</summary>
    public AuditSection? Audit { get; private set; }

    /// <summary>Certificate authorities to trust beside the system's.</summary>
    public AdditionalRoots? Roots { get; private set; }

    public List<(string Path, IdentityPlan Plan)> Identities { get; } = [];

    public List<TargetEntry> Targets { get; } = [];

    /// <summary>Whether an error says already why there is no target: the section is empty, or the names in it are wrong.</summary>
    public bool IsLackOfTargetsSaid { get; private set; }

    /// <summary>Whether the names of identities could be read; if not, nobody's identity is called missing.</summary>
    public bool AreIdentitiesRead { get; private set; } = true;

    /// <summary>What factories of kinds made.</summary>
    public List<object> Owned { get; } = [];

    public void Read(IConfigurationSection section)
    {
        if (!section.GetChildren().Any())
        {
            IsLackOfTargetsSaid = true;
            _errors.Add(section.Path, "is not there, or has nothing in it", $"Compare the name with that in the settings, or write at least \"{section.Key}\": {SmallestSection}.");
            return;
        }
        SecretSmells smells = SecretSmells.FindIn(section, _errors);
        var reader = new SettingsReader(section, _errors, smells);
        reader.Tolerate("$schema");
        SettingsReader job = reader.Child("Job");
        IsList(job, "is a list", "Write an object: \"Job\": { \"Pipeline\": \"orders-nightly\" }.");
        Job = new JobContext
        {
            Pipeline = job.OptionalText("Pipeline"), Run = job.OptionalText("Run"), Task = job.OptionalText("Task"),
            Dataset = job.OptionalText("Dataset"), Purpose = job.OptionalText("Purpose"), Environment = job.OptionalText("Environment"),
            SaidBy = FactOrigin.Configuration,
        };
        if (job.Has("FromRuntime"))
            JobFromRuntime = job.Flag("FromRuntime");
        if (reader.Has("EndWithin"))
            EndWithin = reader.Duration("EndWithin", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
        if (reader.Has("MaxDuration"))
            MaxDuration = reader.Duration("MaxDuration", TokenExchangeBuilder.LongestDuration, TimeSpan.FromSeconds(1), TokenExchangeBuilder.LongestDuration);
        if (reader.Has("KillSwitch"))
            KillSwitch = reader.FilePath("KillSwitch");
        if (reader.Has("Journal"))
            Journal = reader.FilePath("Journal");
        if (reader.Has("FailOnUnrevoked"))
            FailOnUnrevoked = reader.Flag("FailOnUnrevoked");
        ReadPolicy(reader, smells);
        Audit = AuditSection.Read(reader);
        Roots = TrustRootsFile.Read(reader, _errors);
        SettingsReader identities = reader.Child("Identities");
        AreIdentitiesRead = !IsList(identities, "is a list, whose entries have no names", "Write an object, each identity under its name: \"Identities\": { \"job\": { \"Source\": \"OidcFile\", \"Path\": \"/var/run/secrets/job/token\" } }.");
        foreach (string name in AreIdentitiesRead ? identities.Names : [])
            ReadIdentity(name, identities.Child(name));
        SettingsReader targets = reader.Child("Targets");
        bool areTargetsRead = !IsList(targets, "is a list, whose entries have no names", "Write an object, each target under its name: \"Targets\": { \"warehouse\": { \"Identity\": \"job\", \"Exchange\": \"Databricks\", \"Host\": \"https://workspace.example\" } }.");
        foreach (string name in areTargetsRead ? targets.Names : [])
            ReadTarget(name, targets.Child(name));
        IsLackOfTargetsSaid = targets.Names.Count > 0 || smells.HasIn(targets.Path);
        reader.Close();
    }

    private void ReadPolicy(SettingsReader reader, SecretSmells smells)
    {
        int before = _errors.Count;
        IsPolicySaid = reader.Has("Policy");
        (string? file, RemotePolicy) = PolicySection.Read(reader);
        PolicyFile = _errors.Count == before && !smells.HasIn($"{reader.Path}:Policy") ? file : null;
    }

    // A list becomes settings 0, 1 and so on: they would pass for names.
    private static bool IsList(SettingsReader room, string what, string remedy)
    {
        if (!room.IsList())
            return false;
        room.Error("", what, remedy);
        room.GiveUp();
        return true;
    }

    /// <summary>Throws away what was made for a plan that came to nothing.</summary>
    public void DisposeOwned()
    {
        foreach (object made in Owned.Distinct(ReferenceEqualityComparer.Instance))
        {
            if (made is IDisposable disposable)
                disposable.Dispose();
            else if (made is IAsyncDisposable asyncDisposable)
                Blocking.Wait(asyncDisposable.DisposeAsync().AsTask());
        }
        Owned.Clear();
    }

    private void ReadIdentity(string name, SettingsReader settings)
    {
        string actsFor = settings.OptionalText("ActsFor") ?? nameof(ActsFor.Proven);
        if (actsFor is not (nameof(ActsFor.Proven) or nameof(ActsFor.Workload)))
            settings.Error("ActsFor", "is none of the known words", "Write Proven (the proof shows that it is a workload's) or Workload (you vouch for it).");
        IWorkloadIdentitySource? source = Make(settings, "Source", "one identity has one source", _kinds.Sources);
        if (_errors.CheckName(settings.Path, name))
            Identities.Add((settings.Path, new IdentityPlan(name, source ?? PlaceholderSource.Instance, actsFor == nameof(ActsFor.Workload) ? ActsFor.Workload : ActsFor.Proven)));
    }

    private void ReadTarget(string name, SettingsReader settings)
    {
        var options = new TargetOptions
        {
            Identity = NameOf(settings, "Identity"),
            Through = NameOf(settings, "Through"),
            Actor = NameOf(settings, "Actor"),
            AttestedFacts = ReadFacts(settings),
            AttestingIssuer = settings.OptionalText("AttestingIssuer"),
            Scopes = ReadScopes(settings),
            MaxLifetime = settings.Duration("MaxLifetime", TimeSpan.FromHours(1), ShortestLife, LongestLife),
        };
        foreach ((string entry, string origin) in settings.Entries("AllowedOrigins"))
            options.AllowedOrigins.Add(settings.Address(entry, origin, originOnly: true));
        TokenExchanger? exchanger = Make(settings, "Exchange", "one target has one exchange", _kinds.Exchangers);
        // Where proof is named wrongly that is said already; the placeholder keeps the plan from saying it again.
        bool isNamed = settings.IsSaid("Identity") || settings.IsSaid("Through");
        if (_errors.CheckName(settings.Path, name))
            Targets.Add(new TargetEntry(settings.Path, name, exchanger, options, IsProofSaid: isNamed && options.Identity is null && options.Through is null));
    }

    private static JobFacts ReadFacts(SettingsReader settings)
    {
        string[] known = [.. Enum.GetNames<JobFacts>().Where(name => name != nameof(JobFacts.None))];
        var facts = JobFacts.None;
        foreach ((string entry, string fact) in settings.Entries("AttestedFacts"))
        {
            if (known.Contains(fact, StringComparer.Ordinal))
                facts |= Enum.Parse<JobFacts>(fact);
            else
                settings.Error(entry, "is no fact that a platform attests", UnknownSetting.Nearest(fact, known) is { } nearest ? $"Did you mean {nearest}? Write it so." : $"Write one of: {string.Join(", ", known)}.");
        }
        return facts;
    }

    private static ScopeSet ReadScopes(SettingsReader settings)
    {
        var scopes = new List<string>();
        foreach ((string entry, string scope) in settings.Entries("Scopes"))
        {
            // RFC 6749 §3.3: visible ASCII but for the quote and the backslash.
            int position = scope.AsSpan().IndexOfAnyExceptInRange('!', '~');
            position = position >= 0 ? position : scope.AsSpan().IndexOfAny('"', '\\');
            if (position >= 0)
                settings.Error(entry, $"has a character at position {position} that RFC 6749 §3.3 does not allow", "Write visible ASCII without quote and backslash, one scope per entry.");
            else if (scopes.Contains(scope, StringComparer.Ordinal))
                settings.Error(entry, "repeats an earlier scope", "Write each scope once.");
            else
                scopes.Add(scope);
        }
        return ScopeSet.Of([.. scopes]);
    }

    /// <summary>The name of an identity or target; null if it is left out or could not be one (which is noted).</summary>
    private static string? NameOf(SettingsReader settings, string setting)
    {
        if (settings.OptionalText(setting) is not { } name)
            return null;
        if (ConfigurationErrors.IsName(name))
            return name;
        settings.Error(setting, "is not a name", "Name an identity or a target: lower-case letters, digits and hyphens, at most 64.");
        return null;
    }

    private T? Make<T>(SettingsReader settings, string setting, string rule, IReadOnlyDictionary<string, Func<SettingsReader, T>> kinds)
        where T : class
    {
        int before = _errors.Count;
        if (settings.OptionalText(setting) is not { } kind)
        {
            if (_errors.Count == before && !settings.IsSaid(setting))
                settings.Error(setting, "is missing", $"Write one of: {Known(kinds)}.");
            else if (_errors.Count > before)   // else a secret stands there, and that is said
                settings.Error("", $"has no usable {setting}: {rule}", "Write one word; there are no chains and no fallbacks.");
            settings.GiveUp();
            return null;
        }
        if (!kinds.TryGetValue(kind, out Func<SettingsReader, T>? make))
        {
            string shown = ConfigurationErrors.IsWord(kind) && ConfigurationErrors.CanBeShown(kind) ? $"'{kind}' is not known" : "is not a known word";
            string meant = Kinds.BringerOf(kind) is { } bringer ? $"{bringer} " : UnknownSetting.Nearest(kind, kinds.Keys) is { } nearest ? $"Did you mean {nearest}? " : "";
            settings.Error(setting, shown, $"{meant}Known are: {Known(kinds)}. Others are brought by packages, which register them with the builder.");
            settings.GiveUp();
            return null;
        }
        try
        {
            if (make(settings) is { } made)
            {
                Owned.Add(made);
                return made;
            }
            settings.Error(setting, "gave nothing", $"Correct the kind '{kind}'.");
        }
        catch (Exception exception)   // the code of a kind may throw at a placeholder; what it says could quote a setting
        {
            if (_errors.Count == before)
                settings.Error("", exception is TokenExchangeException known ? known.Detail.TrimEnd('.') : $"was refused by the kind '{kind}' with {exception.GetType().Name}", (exception as TokenExchangeException)?.Hint ?? "Compare it with the documentation of that kind.");
            settings.GiveUp();
        }
        return null;
    }

    private static string Known<T>(IReadOnlyDictionary<string, T> kinds) => string.Join(", ", kinds.Keys.Order(StringComparer.Ordinal));
}
