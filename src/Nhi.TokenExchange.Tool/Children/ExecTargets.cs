using System.CommandLine;

namespace Nhi.TokenExchange;

/// <summary>Which targets a child may have, and by which way, as the command line names them.</summary>
internal sealed class ExecTargets
{
    private const string GoogleExample = "bucket=loader@my-project.iam.gserviceaccount.com,my-project";

    private IReadOnlyList<string> _plain = [];
    private IReadOnlyList<string> _awsProfiles = [];
    private IReadOnlyList<string> _psql = [];
    private List<(string Target, string Resource, string? ClientId)> _azure = [];
    private (string Target, string Email, string Project)? _google;
    private bool _needsLoopback;

    public IReadOnlyList<GitHost> Git { get; private init; } = [];

    public IReadOnlyList<DockerRegistry> Docker { get; private init; } = [];

    public IReadOnlyList<KubeCluster> Kubectl { get; private init; } = [];

    public GoogleDefault? GoogleAdc { get; private init; }

    /// <summary>Whether anything is asked for while the program runs.</summary>
    public bool NeedsBroker => this is not { _plain.Count: 0, _azure.Count: 0, _google: null, _awsProfiles.Count: 0, Git.Count: 0, Docker.Count: 0, Kubectl.Count: 0, GoogleAdc: null };

    /// <summary>The name of one of them: of whom it is told where all are meant.</summary>
    public string First => _plain.Concat(_awsProfiles).Concat(_psql).Concat(_azure.Select(one => one.Target)).Concat(Git.Select(one => one.Target)).Concat(Docker.Select(one => one.Target)).Concat(Kubectl.Select(one => one.Target)).FirstOrDefault() ?? GoogleAdc?.Target ?? _google!.Value.Target;

    /// <exception cref="UsageException">Nothing is named, or a value has another form.</exception>
    public static ExecTargets Read(ParseResult line)
    {
        var read = new ExecTargets
        {
            Git = NamedValue.ReadAll("--git", line.GetRequiredValue(ExecOptions.Git), GitHost.Example, GitHost.Read, one => one.Address.AbsoluteUri),
            Docker = NamedValue.ReadAll("--docker", line.GetRequiredValue(ExecOptions.Docker), DockerRegistry.Example, DockerRegistry.Read, one => one.BareHost),
            Kubectl = NamedValue.ReadAll("--kubectl", line.GetRequiredValue(ExecOptions.Kubectl), KubeCluster.Example, KubeCluster.Read, one => one.Target),
            GoogleAdc = line.GetValue(ExecOptions.GoogleAdc) is { } adc ? GoogleDefault.Read(adc) : null,
            _plain = [.. line.GetRequiredValue(ExecOptions.Target).Distinct(StringComparer.Ordinal)],
            _awsProfiles = [.. line.GetRequiredValue(ExecOptions.AwsProfile).Distinct(StringComparer.Ordinal)],
            _psql = [.. line.GetRequiredValue(ExecOptions.Psql).Distinct(StringComparer.Ordinal)],
            _azure = [.. line.GetRequiredValue(ExecOptions.Azure).Select(AzureOf)],
            _google = line.GetValue(ExecOptions.Google) is { } google ? GoogleOf(google) : null,
        };
        read._needsLoopback = line.GetValue(ExecOptions.Loopback) || read._azure.Count > 0 || read._google is not null || read.GoogleAdc is not null;
        return read.NeedsBroker || read._psql.Count > 0 ? read : throw new UsageException("--target: no target is named that the program may have. Name one by --target, --aws-profile, --azure, --google, --google-adc, --psql, --git, --docker or --kubectl.");
    }

    /// <summary>The profiles of AWS that are wanted, with the region of their role.</summary>
    public IReadOnlyList<(string Target, string? Region)> AwsProfilesOf(JobSession session) => [.. _awsProfiles.Select(target => (target, (session.Runtime(target).Plan.Exchanger as AwsStsExchanger)?.Region))];

    /// <summary>Sets the region of AWS that the first role has, where the environment names none: the user's own configuration, which might, is not read.</summary>
    public void ApplyRegion(JobSession session, IDictionary<string, string?> environment)
    {
        string? region = _plain.Select(target => session.Runtime(target).Plan.Exchanger).OfType<AwsStsExchanger>().FirstOrDefault()?.Region;
        if (region is not null && !environment.ContainsKey("AWS_REGION") && !environment.ContainsKey("AWS_DEFAULT_REGION"))
            environment["AWS_REGION"] = environment["AWS_DEFAULT_REGION"] = region;
    }

    /// <summary>The services of PostgreSQL that are wanted.</summary>
    public IReadOnlyList<PostgresService> PostgresServicesOf(JobSession session, JobSettings settings, CredentialCaller caller) => [.. _psql.Select(target => new PostgresService(session, target, caller, settings.OfTarget(target, "RootCertificate")))];

    public void AddTo(TokenBrokerOptions options, JobSession session)
    {
        options.EndOnSignals = false;
        options.OnlyBoundProcesses = true;   // the program and what it starts
        bool needsLoopback = _needsLoopback;
        foreach (string target in _plain)
        {
            if (session.Runtime(target).Plan.Exchanger.CredentialType == typeof(AwsSessionCredentials))
            {
                options.AwsContainerCredentials(target);
                needsLoopback = true;
            }
            else if (session.Runtime(target).Plan.Exchanger.CredentialType == typeof(DatabaseLogin))
            {
                throw new UsageException($"--target: '{ExceptionText.Clean(target)}' gives logins of a database, which have a way of their own. Name it by --psql.");
            }
            else
            {
                options.TokenExchange(target);
            }
        }
        foreach (string target in Git.Select(one => one.Target).Concat(Docker.Select(one => one.Target)).Concat(Kubectl.Select(one => one.Target)).Concat(GoogleAdc is null ? [] : [GoogleAdc.Target]).Except(_plain, StringComparer.Ordinal))
            options.TokenExchange(target);
        foreach (string target in _awsProfiles.Except(_plain, StringComparer.Ordinal))
            options.AwsContainerCredentials(target, overSocket: true);
        foreach ((string target, string resource, string? clientId) in _azure)
            options.AzureManagedIdentity(target, resource, clientId);
        if (_google is { } google)
            options.GoogleMetadata(google.Target, google.Email, google.Project);
        if (needsLoopback)
            options.ListenOnLoopback();   // their SDKs know no Unix sockets
    }

    private static (string Target, string Resource, string? ClientId) AzureOf(string value)
    {
        var read = NamedValue.Read("--azure", value, "lake=https://storage.azure.com");
        return read.Parts switch
        {
            [var resource] => (read.Target, resource, null),
            [var resource, var id] => (read.Target, resource, id),
            _ => throw read.Wrong("lake=https://storage.azure.com,11111111-2222-3333-4444-555555555555"),
        };
    }

    private static (string Target, string Email, string Project) GoogleOf(string value)
    {
        var read = NamedValue.Read("--google", value, GoogleExample);
        return read.Parts is [var email, var project] ? (read.Target, email, project) : throw read.Wrong(GoogleExample);
    }
}
