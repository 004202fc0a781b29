namespace Nhi.TokenExchange;

/// <summary>Which targets a child may have, and by which protocol, as the command line names them.</summary>
internal sealed class ExecTargets
{
    private readonly List<string> _plain = [];
    private readonly List<string> _awsProfiles = [];
    private readonly List<(string Target, string Resource, string? ClientId)> _azure = [];
    private (string Target, string Email, string Project)? _google;

    /// <exception cref="UsageException">Nothing is named, or a value has another form.</exception>
    public static ExecTargets Read(IReadOnlyList<string> plain, IReadOnlyList<string> azure, string? google, IReadOnlyList<string> awsProfiles)
    {
        var read = new ExecTargets();
        read._plain.AddRange(plain);
        read._awsProfiles.AddRange(awsProfiles.Distinct(StringComparer.Ordinal));
        foreach (string one in azure)
        {
            (string target, string[] parts) = Split("--azure", one, "lake=https://storage.azure.com");
            read._azure.Add(parts is [var resource] ? (target, resource, null) : parts is [var known, var id] ? (target, known, id) : throw Wrong("--azure", one, "lake=https://storage.azure.com,11111111-2222-3333-4444-555555555555"));
        }
        if (google is not null)
        {
            const string Example = "bucket=loader@my-project.iam.gserviceaccount.com,my-project";
            (string target, string[] parts) = Split("--google", google, Example);
            read._google = parts is [var email, var project] ? (target, email, project) : throw Wrong("--google", google, Example);
        }
        return read is { _plain.Count: 0, _azure.Count: 0, _google: null, _awsProfiles.Count: 0 } ? throw new UsageException("--target: no target is named that the program may have. Name one by --target, --azure, --google or --aws-profile.") : read;
    }

    /// <summary>The profiles of AWS that are wanted, with the region of their role.</summary>
    public IReadOnlyList<(string Target, string? Region)> AwsProfilesOf(JobSession session) => [.. _awsProfiles.Select(target => (target, (session.Runtime(target).Plan.Exchanger as AwsStsExchanger)?.Region))];

    public void AddTo(TokenBrokerOptions options, JobSession session)
    {
        options.EndOnSignals = false;
        bool isOfACloud = _azure.Count > 0 || _google is not null;
        foreach (string target in _plain)
        {
            if (session.Runtime(target).Plan.Exchanger.CredentialType == typeof(AwsSessionCredentials))
            {
                options.AwsContainerCredentials(target);
                isOfACloud = true;
            }
            else
            {
                options.TokenExchange(target);
            }
        }
        foreach (string target in _awsProfiles.Except(_plain, StringComparer.Ordinal))
            options.AwsContainerCredentials(target, overSocket: true);
        foreach ((string target, string resource, string? clientId) in _azure)
            options.AzureManagedIdentity(target, resource, clientId);
        if (_google is { } google)
            options.GoogleMetadata(google.Target, google.Email, google.Project);
        if (isOfACloud)
            options.ListenOnLoopback();   // their SDKs know no Unix sockets
    }

    private static (string Target, string[] Parts) Split(string option, string value, string example) =>
        value.Split('=', 2) is [{ Length: > 0 } target, { Length: > 0 } rest] && rest.Split(',') is { } parts && parts.All(part => part.Length > 0) ? (target, parts) : throw Wrong(option, value, example);

    private static UsageException Wrong(string option, string value, string example) => new($"{option}: '{ExceptionText.Clean(value)}' has another form than {example}.");
}
