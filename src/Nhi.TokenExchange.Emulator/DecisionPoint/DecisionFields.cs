using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The limits of a decision as members of JSON.</summary>
internal static class DecisionFields
{
    public static JsonObject Of(EmulatedDecision decision)
    {
        var fields = new JsonObject();
        if (decision.Rule is { } rule)
            fields["rule"] = rule;
        if (decision.Scopes is { } scopes)
            fields["scopes"] = JsonText.Array(scopes);
        if (decision.MaxLifetime is { } lifetime)
            fields["max_lifetime_seconds"] = (long)lifetime.TotalSeconds;
        if (decision.HoldsFor is { } holds)
            fields["holds_for_seconds"] = (long)holds.TotalSeconds;
        return fields;
    }
}
