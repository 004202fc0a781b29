using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>The section <c>Audit</c>: where the audit is recorded.</summary>
/// <param name="Folder">The absolute path of the folder of its files; null if none is named.</param>
/// <param name="Options">How they are written.</param>
/// <param name="Log">Whether the log gets the events, too.</param>
/// <param name="Collector">What they are sent to; null: nothing.</param>
/// <param name="Claims">The claims of a proof that its events name.</param>
internal sealed record AuditSection(string? Folder, AuditFolderOptions Options, bool Log, AuditCollectorSection? Collector, IReadOnlyList<string> Claims)
{
    public const string ClaimRemedy = "Name at most 8 claims, each once, in up to 64 visible ASCII characters, such as repository or kubernetes.io/namespace.";

    /// <summary>Says what is wrong with a list of claims; null if nothing is.</summary>
    public static string? FlawOf(IReadOnlyList<string> claims) =>
        claims.Count > AuditText.MostClaims ? "names too many claims"
        : claims.Distinct(StringComparer.Ordinal).Count() < claims.Count ? "names a claim twice"
        : claims.Any(claim => claim.Length is 0 or > AuditText.LongestClaimName || claim.AsSpan().ContainsAnyExceptInRange('!', '~')) ? "has an entry that is no claim's name" : null;

    /// <returns>Null if the section is not there.</returns>
    public static AuditSection? Read(SettingsReader section)
    {
        if (!section.Has("Audit"))
            return null;
        SettingsReader settings = section.Child("Audit");
        bool isNamed = settings.Has("Folder"), toLog = settings.Has("Log") && settings.Flag("Log");
        string? folder = isNamed ? settings.FilePath("Folder") : null;
        var options = new AuditFolderOptions();
        foreach (string one in new[] { "Required", "PartBytes", "AnchorEvery" })
        {
            if (!isNamed && settings.Has(one))
                settings.Error(one, "is of a folder, and none is named", "Name it: \"Folder\": \"/var/lib/orders/audit\".");
        }
        if (settings.Has("Required"))
            options.IsRequired = settings.Flag("Required");
        options.PartBytes = Number(settings, "PartBytes", options.PartBytes);
        options.AnchorEvery = (int)Math.Min(int.MaxValue, Number(settings, "AnchorEvery", options.AnchorEvery));
        if (options.Flaw is { } flaw)
            settings.Error(flaw.Setting, flaw.What, flaw.Remedy);
        IReadOnlyList<string> claims = settings.List("Claims");
        if (FlawOf(claims) is { } wrong)
            settings.Error("Claims", wrong, ClaimRemedy);
        if (settings.Names.Count == 0)
            settings.Error("", "names nothing to record in", "Name a folder, such as \"Audit\": { \"Folder\": \"/var/lib/orders/audit\" }, or take the section out: then the log has the events.");
        return new AuditSection(folder, options, toLog, AuditCollectorSection.Read(settings), claims);
    }

    internal static long Number(SettingsReader settings, string name, long ifMissing)
    {
        if (settings.OptionalText(name) is not { } text)
            return ifMissing;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number))
            return number;
        settings.Error(name, "is not a whole number", "Write digits alone.");
        return ifMissing;
    }
}
