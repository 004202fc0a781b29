using System.Text;

namespace Nhi.TokenExchange;

/// <summary>How narrow and how long, as a decision point may say it: <c>max_lifetime_seconds</c>, <c>scopes</c>, <c>resources</c>, <c>authorization_details</c>, <c>holds_for_seconds</c>, <c>rule</c>, <c>static_key</c>.</summary>
/// <remarks>Read strictly: a limit that is not understood is one that would not be kept.</remarks>
internal sealed class DecisionLimits
{
    private const int LongestSeconds = 365 * 24 * 3600;
    private const int LongestRule = 100;

    /// <summary>The longest hand-out. One that is longer than the target's changes nothing.</summary>
    public TimeSpan? MaxLifetime { get; private set; }

    /// <summary>How long the decision holds.</summary>
    public TimeSpan? HoldsFor { get; private set; }

    /// <summary>Narrower scopes. Wider ones are refused where the grant is made (NHI3003).</summary>
    public ScopeSet? Scopes { get; private set; }

    /// <summary>The only names that the credential may be for.</summary>
    public IReadOnlyList<string>? Resources { get; private set; }

    /// <summary>The authorization details that may be asked for, a JSON array.</summary>
    public string? AuthorizationDetails { get; private set; }

    /// <summary>The rule that decided.</summary>
    public string? Rule { get; private set; }

    /// <summary>Whether a static key is permitted, in so many words.</summary>
    public bool PermitsStaticKey { get; private set; }

    /// <summary>What is wrong; null if nothing is.</summary>
    public string? Fault { get; private set; }

    /// <summary>Reads the member at hand.</summary>
    /// <returns>False if it is none of ours.</returns>
    public bool TryTake(ref JsonMembers members)
    {
        switch (members.Name)
        {
            case "max_lifetime_seconds": MaxLifetime = Seconds(members.Name, members.Raw()); return true;
            case "holds_for_seconds": HoldsFor = Seconds(members.Name, members.Raw()); return true;
            case "scopes": Scopes = ReadScopes(members.Raw()); return true;
            case "resources": Resources = ReadResources(members.Raw()); return true;
            case "authorization_details": AuthorizationDetails = ReadDetails(members.Raw()); return true;
            case "static_key": PermitsStaticKey = ReadFlag(members.Name, members.Raw()); return true;
            case "rule": Rule = ReadName(members.Name, members.Raw()); return true;
            default: return false;
        }
    }

    // JSON knows no whole numbers; only digits are taken, so 1e9, -1, 0.5 and "60" are none.
    private TimeSpan? Seconds(string name, ReadOnlySpan<byte> raw)
    {
        if (raw.SequenceEqual("null"u8))
            return null;
        if (raw.Length is > 0 and <= 9 && !raw.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            int seconds = 0;
            foreach (byte digit in raw)
                seconds = (seconds * 10) + (digit - '0');
            if (seconds is > 0 and <= LongestSeconds)
                return TimeSpan.FromSeconds(seconds);
        }
        Fault ??= $"has '{name}' that is no whole number from 1 to {LongestSeconds}";
        return null;
    }

    private string? ReadName(string name, ReadOnlySpan<byte> raw)
    {
        if (raw.SequenceEqual("null"u8))
            return null;
        if (JsonTexts.ReadOne(raw) is { } text)
            return text.Length > 0 ? OuterText.Shown(text, LongestRule) : null;
        Fault ??= $"has '{name}' that is no string";
        return null;
    }

    private bool ReadFlag(string name, ReadOnlySpan<byte> raw)
    {
        bool? flag = raw.SequenceEqual("null"u8) ? false : JsonBooleans.Read(raw);
        if (flag is null)
            Fault ??= $"has '{name}' that is neither true nor false";
        return flag == true;
    }

    private ScopeSet? ReadScopes(ReadOnlySpan<byte> raw)
    {
        if (raw.SequenceEqual("null"u8))
            return null;
        try
        {
            if (JsonTexts.Read(raw) is { Count: > 0 } scopes)
                return ScopeSet.Of([.. scopes]);
        }
        catch (ArgumentException)   // its text quotes nothing of a scope, but says what a caller would have to do
        {
        }
        Fault ??= "has 'scopes' that is no list of scopes (RFC 6749 §3.3), one text for each";
        return null;
    }

    private List<string>? ReadResources(ReadOnlySpan<byte> raw)
    {
        if (raw.SequenceEqual("null"u8))
            return null;
        if (JsonTexts.Read(raw) is { Count: > 0 } names)
            return names;
        Fault ??= "has 'resources' that is no list of names, one text for each";
        return null;
    }

    private string? ReadDetails(ReadOnlySpan<byte> raw)
    {
        if (raw.SequenceEqual("null"u8))
            return null;
        string json = Encoding.UTF8.GetString(raw);
        if (AuthorizationDetailsCheck.FaultOfAsked(json) is not { } fault)
            return json;
        Fault ??= $"has 'authorization_details' that {fault}";
        return null;
    }
}
