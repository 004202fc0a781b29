namespace Nhi.TokenExchange;

/// <summary>Reads the section <c>Policy</c>: the one policy of the job, under the name of its kind.</summary>
internal static class PolicySection
{
    private const string File = "File";
    private const string Example = "\"Policy\": { \"File\": \"nhi.policy.json\" }";

    private static readonly (string Kind, Func<SettingsReader, IAccessPolicy> Read)[] RemoteKinds = [("AuthZen", AuthZen), ("Opa", Opa)];

    /// <returns>The absolute path of the policy document, or the remote policy; neither if none is named, or an error was noted.</returns>
    public static (string? File, IAccessPolicy? Remote) Read(SettingsReader section)
    {
        if (!section.Has("Policy"))
            return default;
        SettingsReader settings = section.Child("Policy");
        (string Kind, Func<SettingsReader, IAccessPolicy> Read)[] remote = [.. RemoteKinds.Where(kind => settings.Has(kind.Kind))];
        bool namesFile = settings.Has(File);
        if (remote.Length + (namesFile ? 1 : 0) > 1)
        {
            settings.Error("", $"has more than one policy: {string.Join(", ", remote.Select(kind => kind.Kind).Concat(namesFile ? [File] : []))}", "Keep one; a job has one policy, and nothing falls back to another.");
            settings.GiveUp();
        }
        else if (namesFile)
        {
            return (settings.FilePath(File, beside: AppContext.BaseDirectory), null);
        }
        else if (remote is [var one])
        {
            return (null, one.Read(settings.Child(one.Kind)));
        }
        else if (settings.Names.Count == 0)
        {
            settings.Error("", "names no policy", $"Name one, such as {Example}, or take the section out: then what is declared is permitted.");
        }
        return default;   // a misspelt kind is an unknown setting
    }

    private static IAccessPolicy AuthZen(SettingsReader settings)
    {
        Uri decisionPoint = settings.HttpsUri("Url");
        Uri? evaluationEndpoint = settings.Has("EvaluationEndpoint") ? settings.HttpsUri("EvaluationEndpoint") : null;
        return AccessPolicies.AuthZen(decisionPoint, evaluationEndpoint, Remote(settings));
    }

    private static IAccessPolicy Opa(SettingsReader settings)
    {
        Uri server = settings.HttpsUri("Url");
        string path = settings.Text("Path");
        if (OpaPoint.FaultOfPath(path) is { } fault)
        {
            settings.Error("Path", fault, OpaPoint.PathRemedy);
            path = "placeholder";
        }
        return AccessPolicies.Opa(server, path, Remote(settings));
    }

    private static Action<RemotePolicyOptions> Remote(SettingsReader settings)
    {
        TimeSpan deadline = settings.Duration("Deadline", RemotePolicyOptions.DefaultDeadline, TimeSpan.FromSeconds(1), RemotePolicyOptions.LongestDeadline);
        IReadOnlyList<string> claims = settings.List("Claims");
        return options =>
        {
            options.Deadline = deadline;
            if (claims.Count == 0)
                return;
            options.Claims.Clear();
            foreach (string claim in claims)
                options.Claims.Add(claim);
        };
    }
}
