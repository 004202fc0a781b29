namespace Nhi.TokenExchange;

/// <summary>The section <c>Audit:Collector</c>: what events are sent to.</summary>
/// <param name="Endpoint">The collector's address.</param>
/// <param name="Spool">The absolute path of the spool's folder.</param>
/// <param name="Options">How they are sent.</param>
internal sealed record AuditCollectorSection(Uri Endpoint, string Spool, AuditCollectorOptions Options)
{
    /// <returns>Null if the section is not there.</returns>
    public static AuditCollectorSection? Read(SettingsReader audit)
    {
        if (!audit.Has("Collector"))
            return null;
        SettingsReader settings = audit.Child("Collector");
        var options = new AuditCollectorOptions { Target = settings.OptionalText("Target"), ApiVersion = settings.OptionalText("ApiVersion") };
        if (settings.Has("Required"))
            options.IsRequired = settings.Flag("Required");
        options.SpoolBytes = AuditSection.Number(settings, "SpoolBytes", options.SpoolBytes);
        if (settings.OptionalText("Format") is { } format)
        {
            if (format is nameof(AuditCollectorFormat.JsonLines) or nameof(AuditCollectorFormat.JsonArray))
                options.Format = Enum.Parse<AuditCollectorFormat>(format);
            else
                settings.Error("Format", "is none of the known words", "Write JsonLines or JsonArray.");
        }
        foreach ((string setting, string what, string remedy) in options.Flaws)
            settings.Error(setting, what, remedy);
        return new AuditCollectorSection(settings.HttpsUri("Endpoint"), settings.FilePath("Spool"), options);
    }
}
