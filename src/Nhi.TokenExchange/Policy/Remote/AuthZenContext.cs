namespace Nhi.TokenExchange;

/// <summary>The <c>context</c> of an AuthZEN answer: our own member with limits, and the reasons that the standard gives as an example. Other members are not read.</summary>
internal sealed class AuthZenContext
{
    public DecisionLimits Limits { get; private init; } = new();

    /// <summary>Why; empty if it did not say.</summary>
    public string Reason { get; private init; } = "";

    /// <summary>Whether something is demanded of who lets it through.</summary>
    public bool HasObligations { get; private init; }

    /// <summary>What is wrong; null if nothing is.</summary>
    public string? Fault { get; private init; }

    public static AuthZenContext Read(ReadOnlySpan<byte> json)
    {
        if (json.SequenceEqual("null"u8))
            return new AuthZenContext();
        var limits = new DecisionLimits();
        string? forAdmins = null, forUsers = null, plain = null, fault = null;
        bool hasObligations = false;
        var members = new JsonMembers(json);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                case AuthZenPoint.LimitsMember: fault ??= ReadLimits(members.Raw(), limits); break;
                case "reason_admin": forAdmins = DecisionReason.Of(members.Raw()); break;
                case "reason_user": forUsers = DecisionReason.Of(members.Raw()); break;
                case "reason": plain = DecisionReason.Of(members.Raw()); break;
                case "obligations": hasObligations = !IsEmpty(members.Raw()); break;
                default: break;
            }
        }
        return new AuthZenContext
        {
            Limits = limits, Reason = forAdmins ?? forUsers ?? plain ?? "", HasObligations = hasObligations,
            Fault = members.Fault is { } broken ? $"has a 'context' that {broken}" : fault,
        };
    }

    private static string? ReadLimits(ReadOnlySpan<byte> json, DecisionLimits limits)
    {
        if (json.SequenceEqual("null"u8))
            return null;
        string? unknown = null;
        var members = new JsonMembers(json);
        while (members.MoveNext())
        {
            if (!limits.TryTake(ref members))
                unknown ??= members.Name;
        }
        string? fault = members.Fault ?? (unknown is null ? limits.Fault : $"has '{OuterText.Shown(unknown, 40)}', which is no limit that is known");   // a misspelt limit would widen
        return fault is null ? null : $"has a '{AuthZenPoint.LimitsMember}' that {fault}";
    }

    private static bool IsEmpty(ReadOnlySpan<byte> json) => json.SequenceEqual("null"u8) || json.SequenceEqual("[]"u8) || json.SequenceEqual("{}"u8);
}
