namespace Nhi.TokenExchange;

/// <summary>The tags that all activities and measurements of a target have.</summary>
internal static class TelemetryTags
{
    public static KeyValuePair<string, object?>[] Of(TargetPlan plan) => Of(plan.Name, plan.Exchanger.CredentialType.Name);

    public static KeyValuePair<string, object?>[] Of(string target, string kind) => [new(TelemetryNames.TargetTag, target), new(TelemetryNames.KindTag, kind)];
}
