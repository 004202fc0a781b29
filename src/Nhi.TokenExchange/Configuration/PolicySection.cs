namespace Nhi.TokenExchange;

/// <summary>Reads the section <c>Policy</c>: the one policy of the job, under the name of its kind.</summary>
internal static class PolicySection
{
    private const string Example = "\"Policy\": { \"Opa\": { \"Url\": \"http://127.0.0.1:8181\", \"Path\": \"tokens/decision\" } }";

    private static readonly (string Kind, Func<SettingsReader, IAccessPolicy> Read)[] Kinds = [("AuthZen", AuthZen), ("Opa", Opa)];

    /// <returns>The policy; null if none is named, or an error was noted.</returns>
    public static IAccessPolicy? Read(SettingsReader section)
    {
        if (!section.Has("Policy"))
            return null;
        SettingsReader settings = section.Child("Policy");
        (string Kind, Func<SettingsReader, IAccessPolicy> Read)[] named = [.. Kinds.Where(kind => settings.Has(kind.Kind))];
        if (named is [var one])
            return one.Read(settings.Child(one.Kind));
        if (named.Length > 1)
        {
            settings.Error("", $"has more than one policy: {string.Join(", ", named.Select(kind => kind.Kind))}", "Keep one; a job has one policy, and nothing falls back to another.");
            settings.GiveUp();
        }
        else if (settings.Names.Count == 0)
        {
            settings.Error("", "names no policy", $"Name one, such as {Example}, or take the section out: then what is declared is permitted.");
        }
        return null;   // a misspelt kind is an unknown setting
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
