using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>Compares what is declared with the policy when a session starts, and when another version comes into force, and tells what can't come of it. No error: the policy may change while the job runs.</summary>
internal static class PolicyFit
{
    private const int MostNamed = 3;

    // Facts that no proof ever says: who leaves them out has none.
    private static readonly (string Condition, string Setting, Func<JobContext, string?> ValueOf)[] OnlyDeclared =
    [
        ("job.dataset", "Job:Dataset", job => job.Dataset),
        ("job.purpose", "Job:Purpose", job => job.Purpose),
    ];

    public static void Tell(PolicyDocument policy, JobContext job, IEnumerable<TargetPlan> targets, ILogger logger)
    {
        // Who only observes denies nothing but static keys.
        foreach (TargetPlan target in targets.Where(target => !policy.IsObserved || target.Exchanger.StaticKey is not null))
        {
            PolicyRule[] permits = [.. policy.Rules.Where(rule => rule.IsPermit && (rule.Find(PolicyAttribute.Target)?.Matcher.Matches(target.Name) ?? true))];
            if (permits.Length == 0)
            {
                logger.NoPermitForTarget(target.Name, policy.Revision, UnknownSetting.Nearest(target.Name, policy.Rules.SelectMany(rule => rule.Targets ?? [])) is { } nearest ? $"'{nearest}' is the nearest that they name" : "it is always denied");
                continue;
            }
            bool isStatic = target.Exchanger.StaticKey is not null;
            permits = [.. permits.Where(permit => permit.Conditions.OfType<StaticKeyCondition>().Any() == isStatic)];
            if (permits.Length == 0)
            {
                logger.NoPermitForTarget(target.Name, policy.Revision, isStatic ? "it has a static key, and the rule for it has to say \"static\": true" : "the rules for it are for static keys alone");
                continue;
            }
            foreach ((string condition, string setting, Func<JobContext, string?> valueOf) in OnlyDeclared)
            {
                if (valueOf(job) is null && Array.TrueForAll(permits, permit => permit.Find(condition) is not null))
                    logger.PolicyNeedsFact(target.Name, setting, policy.Revision, Names(permits));
            }
            PolicyRule widest = permits.MaxBy(permit => permit.Limits.LongestHandOut ?? TimeSpan.MaxValue)!;
            if (widest.Limits.LongestHandOut is { } longest && longest < target.MaxLifetime)
                logger.PolicyShortensTarget(target.Name, target.MaxLifetime, longest, widest.Name, policy.Revision);
        }
    }

    /// <summary>Tells of a target whose answers about its credential, as far as they are known, shut it out whoever asks: every permit wants another, or a forbid wants nothing but them.</summary>
    /// <param name="policy">The document in force.</param>
    /// <param name="target">A target.</param>
    /// <param name="exposure">The answers about it.</param>
    /// <param name="logger">Told.</param>
    public static void TellExposure(PolicyDocument policy, TargetPlan target, CredentialExposure exposure, ILogger logger)
    {
        PolicyRule[] rules = [.. policy.Rules.Where(rule => rule.Find(PolicyAttribute.Target)?.Matcher.Matches(target.Name) ?? true)];
        PolicyRule[] permits = [.. rules.Where(rule => rule.IsPermit)];
        PolicyRule[] shut = [.. rules.Where(rule => !rule.IsPermit && rule.Window is null && rule.Conditions.OfType<ExposureCondition>().Any()
            && rule.Conditions.All(condition => condition is ExposureCondition asked ? asked.HoldsFor(exposure) : condition is ValueCondition { Name: PolicyAttribute.Target }))];
        if (shut.Length == 0 && permits.Length > 0 && Array.TrueForAll(permits, permit => permit.Conditions.OfType<ExposureCondition>().Any(asked => !asked.HoldsFor(exposure))))
            shut = permits;
        if (shut.Length == 0 || policy.IsObserved)
            return;
        ExposureCondition first = shut[0].Conditions.OfType<ExposureCondition>().First(asked => asked.HoldsFor(exposure) != shut[0].IsPermit);
        logger.ExposureWillBeDenied(target.Name, first.Name, first.AnswerIn(exposure), policy.Revision, Names(shut));
    }

    private static string Names(PolicyRule[] rules) => string.Join(", ", rules.Take(MostNamed).Select(rule => rule.Name)) + (rules.Length > MostNamed ? ", …" : "");
}
