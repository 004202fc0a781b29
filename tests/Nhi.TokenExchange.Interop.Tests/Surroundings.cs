namespace Nhi.TokenExchange;

/// <summary>Language and time zone of the machine that a program runs on, as its variables say them.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Variables">What the program's environment says.</param>
internal sealed record Surroundings(string Name, params (string Name, string Value)[] Variables)
{
    public static Surroundings Plain { get; } = Of("English, UTC", "en_US.UTF-8", "Etc/UTC");

    /// <summary>A language with four letters i, and commas before decimals; three quarters of an hour off.</summary>
    public static Surroundings Turkish { get; } = Of("Turkish, Kathmandu", "tr_TR.UTF-8", "Asia/Kathmandu");

    /// <summary>A calendar of its own; most of a day ahead.</summary>
    public static Surroundings Thai { get; } = Of("Thai, Kiritimati", "th_TH.UTF-8", "Pacific/Kiritimati");

    /// <summary>No culture at all; behind, with a half hour and a summer time.</summary>
    public static Surroundings Invariant { get; } = new("invariant, Newfoundland", [.. Of("", "tr_TR.UTF-8", "America/St_Johns").Variables, ("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")]);

    /// <summary>The same place for a program whose settings say that it has no culture: these variables win, and it has the place's. Native code has it compiled in and does not ask.</summary>
    public Surroundings WithCultures => this with { Variables = [.. Variables, ("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "0")] };

    /// <summary>These variables and more.</summary>
    public Dictionary<string, string> With(IReadOnlyDictionary<string, string>? more = null)
    {
        Dictionary<string, string> all = more is null ? [] : new(more);
        foreach ((string name, string value) in Variables)
            all[name] = value;
        return all;
    }

    public override string ToString() => Name;

    private static Surroundings Of(string name, string language, string zone) => new(name, ("LANG", language), ("LC_ALL", language), ("TZ", zone));
}
