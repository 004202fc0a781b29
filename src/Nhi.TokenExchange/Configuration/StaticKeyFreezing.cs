namespace Nhi.TokenExchange;

/// <summary>Checks what static keys demand of a composition: a date that is near, a policy, and a place where the key goes.</summary>
/// <param name="errors">Where errors are noted.</param>
/// <param name="targets">What was declared.</param>
/// <param name="openers">What was registered, by target.</param>
internal sealed class StaticKeyFreezing(ConfigurationErrors errors, IReadOnlyList<TargetEntry> targets, IReadOnlyDictionary<string, StaticKeyOpener> openers)
{
    /// <summary>Notes what is wrong.</summary>
    /// <param name="now">The time of the start.</param>
    /// <param name="hasPolicy">Whether anything decides.</param>
    public void Check(DateTimeOffset now, bool hasPolicy)
    {
        foreach (TargetEntry target in targets)
        {
            if (target.Exchanger is StaticKeyExchanger exchanger)
                Check(target, exchanger, now, hasPolicy);
        }
        foreach (string name in openers.Keys.Where(name => targets.Any(target => target.Name == name && target.Exchanger is not (null or StaticKeyExchanger))))
            errors.Add($"Opener:{name}", "is for a target that has no static key", "Take it out; what is issued goes to the job's code.");
        string[] names = [.. targets.Where(target => target.Exchanger is StaticKeyExchanger).Select(target => target.Name)];
        foreach (string name in openers.Keys.Where(name => !targets.Any(target => target.Name == name)))
            errors.Add($"Opener:{(ConfigurationErrors.CanBeShown(name) ? name : "(name not shown)")}", $"is for no target that there is: {UnknownTarget.ListOf(names)}", UnknownTarget.RemedyOf(name, names));
    }

    private void Check(TargetEntry target, StaticKeyExchanger exchanger, DateTimeOffset now, bool hasPolicy)
    {
        if (exchanger.StaticKey.Until - now > StaticKeyTerms.Longest)
            errors.Add($"{target.Path}:Until", FormattableString.Invariant($"is {exchanger.StaticKey.Until:yyyy-MM-dd}, more than a year ahead"), "Write an instant within a year; somebody has to look again then.");
        if (!hasPolicy)
            errors.Add(target.Path, "has a static key, and there is no policy, which would have to permit it in so many words", "Name a policy (Policy:File) with a permit for this target that says \"static\": true.");
        if (exchanger.Header is null && !openers.ContainsKey(target.Name))
            errors.Add(target.Path, "names no Header, and no opener is registered: nothing could use the key", "Name the header that the service wants, or register builder.Opener(…).");
        if (exchanger.Header is not null && target.Options.AllowedOrigins.Count == 0)
            errors.Add($"{target.Path}:AllowedOrigins", "is missing, and nothing says where the key may go", "Name the origin of the service, such as https://billing.example.");
    }
}
