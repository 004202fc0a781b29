namespace Nhi.TokenExchange;

// Whether what is named on the disk can be used: looked at, with all else that may be wrong, before anything is made or opened.
public sealed partial class TokenExchangeBuilder
{
    // A mount that hangs is told of by what opens it.
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(10);

    private void CheckPlaces(SectionReading read, string? killSwitch)
    {
        // A switch that can't be thrown is none.
        if (killSwitch is not null && !Nhi.TokenExchange.KillSwitch.CanBeSeen(killSwitch))
            _errors.Add(_killSwitch is null ? PathOf("KillSwitch") : "KillSwitch", $"is in a folder that is not there, or that this user can't see, or can't look into ('{Shown(killSwitch)}')", "Make the folder, or mount it, before the job starts, and let this user search it (its x).");
        CheckFolder(_journal is null ? PathOf("Journal") : "Journal", "The folder of journals", _journal ?? read.Journal, ErrorCodes.JournalUnsafe);
        CheckFolder(_auditFolder is null ? PathOf("Audit:Folder") : "AuditFolder", "The folder of the audit", _auditFolder ?? read.Audit?.Folder, ErrorCodes.AuditFolderUnsafe);
        CheckFolder(_auditCollector is null ? PathOf("Audit:Collector:Spool") : "AuditCollector:spool", "The folder of the audit", _auditCollector?.Spool ?? read.Audit?.Collector?.Spool, ErrorCodes.AuditFolderUnsafe);
    }

    private void CheckFolder(string setting, string name, string? path, string code)
    {
        if (path is null || !Path.IsPathFullyQualified(path))   // the latter is said already
            return;
        (string What, string Remedy)? flaw = null;
        try
        {
            Blocking.Wait(OwnThread.Run(() => flaw = PrivateFolder.FlawOf(path)).WaitAsync(LongestLook, _time));
        }
        catch (TimeoutException)
        {
            return;
        }
        if (flaw is { } found)
            _errors.Add(setting, $"{name} '{Shown(path)}' {found.What}", found.Remedy, code);
    }

    private string PathOf(string setting) => _section is null ? setting : $"{_section.Path}:{setting}";

    private static string Shown(string path) => ExceptionText.Clean(path, 200);
}
