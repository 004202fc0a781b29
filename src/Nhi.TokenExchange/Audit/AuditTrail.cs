using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>What the verification of a folder of audit files found.</summary>
/// <remarks>
/// Each line holds the hash of the one before it: whoever changes, takes out, puts in or moves a line breaks the chain there. Who may write the file can compute the whole chain anew from some line on, or cut its end off: that is seen by
/// an anchor alone, which was said elsewhere when the line was written.
/// </remarks>
public sealed class AuditTrail
{
    private readonly List<AuditChain> _chains = [];
    private readonly List<AuditFinding> _faults = [];
    private readonly OpenIntents _intents = new();

    private AuditTrail()
    {
    }

    /// <summary>The chains, the oldest first.</summary>
    public IReadOnlyList<AuditChain> Chains => _chains;

    /// <summary>What does not hold: of each file that is none, and of each chain the first line. Anchors that no line meets are there, too, but for those of lines in parts that were moved away: see <see cref="AuditChain.FirstPart"/>.</summary>
    public IReadOnlyList<AuditFinding> Faults => _faults;

    /// <summary>Whether nothing that is there is at fault. That is no verdict on what is missing: true of an empty folder, and where files, or the last lines of one, were taken away and no anchor tells. For that ask <see cref="IsWhole"/>.</summary>
    public bool IsIntact => _faults.Count == 0;

    /// <summary>Whether something was verified, nothing is at fault, each chain begins with its first part and has its end, and nothing is missing that an anchor was said of. A chain that was taken away whole is missed by its anchor alone: give those that were said.</summary>
    public bool IsWhole => IsIntact && _chains.Count > 0 && _chains.TrueForAll(chain => chain is { IsEnded: true, FirstPart: 1 });

    /// <summary>Exchanges that were begun, and of which nothing says what came: ten thousand at most.</summary>
    public IReadOnlyList<AuditFinding> OpenIntents => _intents.Findings;

    /// <summary>How many more exchanges were begun than could be followed.</summary>
    public long OpenIntentsLeftOut => _intents.LeftOut;

    /// <summary>Verifies a folder of audit files, or one file: line by line, in bounded memory. Changes nothing, and asks for no lock: a file that is being written may be read.</summary>
    /// <param name="path">A folder, of which the files <c>*.audit.jsonl</c> are read, or a file of any name.</param>
    /// <param name="anchors">What was said of lines elsewhere, such as in the log: <c>chain:seq:hash</c>.</param>
    /// <param name="onRecord">Gets each event, chain by chain, in order: those up to where the chain holds, and, marked <see cref="AuditRecord.IsBehindFault"/>, those of files behind its first fault. What comes behind it may not hold: the result tells.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">An anchor has another form.</exception>
    /// <exception cref="TokenExchangeException">There is no such folder or file, or the folder can't be read (NHI6010).</exception>
    public static AuditTrail Verify(string path, IEnumerable<string>? anchors = null, Action<AuditRecord>? onRecord = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        AuditAnchor[] said = [.. (anchors ?? []).Select(text => AuditAnchor.TryParse(text) ?? throw new ArgumentException(AuditAnchor.FaultOf(text), nameof(anchors)))];
        var trail = new AuditTrail();
        AuditFileHeader[] files = [.. trail.Headers(FilesOf(path), isFolder: Directory.Exists(path), cancellationToken)];
        foreach (IGrouping<Guid, AuditFileHeader> parts in files.GroupBy(file => file.Chain).OrderBy(parts => parts.Min(file => file.Started)))
        {
            AuditFileHeader[] ordered = [.. parts.OrderBy(file => file.Part).ThenBy(file => file.NameFlaw() is null ? 0 : 1).ThenBy(file => file.HasOwnName ? 0 : 1).ThenBy(file => file.Path, StringComparer.Ordinal)];   // of two that say the same, the one whose name fits
            var chain = new AuditChain(ordered[0]);
            trail._chains.Add(chain);
            new ChainVerifier(chain, said.Where(anchor => anchor.Chain == chain.Id).ToLookup(anchor => anchor.Sequence), record =>
            {
                trail._intents.Add(record);
                onRecord?.Invoke(record);
            }, cancellationToken).Run(ordered);
            if (chain.Fault is { } fault)
                trail._faults.Add(fault);
        }
        foreach (AuditAnchor lost in said.Where(anchor => files.All(file => file.Chain != anchor.Chain)))
            trail._faults.Add(new AuditFinding(path, 0, $"has no file of the chain of anchor {lost}"));
        return trail;
    }

    /// <summary>For people: the verdict, and a line for each chain, for what its process noticed, and for each fault.</summary>
    public override string ToString() => string.Join(
        Environment.NewLine,
        [
            Verdict,
            .. _chains.Select(chain => chain.ToString()),
            .. _faults.Except(_chains.Select(chain => chain.Fault)).Select(fault => $"fault: {fault}"),
            .. OpenIntents.Select(intent => $"intent without an outcome: {intent}"),
            .. OpenIntentsLeftOut > 0 ? (string[])[string.Create(CultureInfo.InvariantCulture, $"and {OpenIntentsLeftOut} more exchanges that could not be followed: nothing is said of their outcome")] : [],
        ]);

    /// <summary>The first line of it.</summary>
    internal string Verdict =>
        string.Create(CultureInfo.InvariantCulture, $"{Word}: {_chains.Count} chain{(_chains.Count == 1 ? "" : "s")}, {_chains.Sum(chain => chain.Events)} events, {_faults.Count} fault{(_faults.Count == 1 ? "" : "s")}");

    private string Word => !IsIntact ? "NOT INTACT" : _chains.Count == 0 ? "NOTHING TO VERIFY"
        : "INTACT" + (_chains.Count(chain => !chain.IsEnded) is > 0 and var open ? string.Create(CultureInfo.InvariantCulture, $", {open} NOT ENDED") : "") + (_chains.Exists(chain => chain.Recoveries.Count > 0) ? ", NOT UNDISTURBED" : "")
            + (_chains.Count(chain => chain.FirstPart > 1) is > 0 and var moved ? string.Create(CultureInfo.InvariantCulture, $", {moved} WITHOUT {(moved == 1 ? "ITS" : "THEIR")} FIRST PARTS") : "")
            + (_chains.Sum(chain => chain.LaterEvents) is > 0 and var later ? string.Create(CultureInfo.InvariantCulture, $", {later} EVENTS OF A LATER VERSION") : "");

    private static string[] FilesOf(string path)
    {
        try
        {
            if (!Directory.Exists(path))
                return [path];
            return [.. new DirectoryInfo(path).EnumerateFileSystemInfos($"*{AuditFolder.Extension}").Select(file => file.FullName).Order(StringComparer.Ordinal)];
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, $"can't be read ({failed.GetType().Name})", failed);
        }
    }

    private static TokenExchangeException Unreadable(string path, string what, Exception? inner = null) =>
        new(ErrorCodes.AuditTrailUnreadable, ExchangeStage.Record, $"The audit trail '{ExceptionText.Clean(path, 200)}' {what}.", inner) { Hint = "Name the folder that the audit is written to, or a copy of it, and run as a user who may read it." };

    // Without a first line that holds, nothing says of which chain the others are.
    private static AuditFileHeader HeaderOf(string file, AuditFileReader reader)
    {
        try
        {
            return AuditFileHeader.Read(file, reader);
        }
        catch (FormatException flaw)
        {
            throw new FormatException($"{flaw.Message}{Unread(reader)}", flaw);
        }
    }

    private static string Unread(AuditFileReader reader)
    {
        long lines = 0;
        try
        {
            while (reader.TryRead(out _))
                lines++;
        }
        catch (FormatException)
        {
            return "; what follows upon it was not verified";
        }
        return lines == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; the {lines} line{(lines == 1 ? "" : "s")} behind it {(lines == 1 ? "was" : "were")} not verified");
    }

    private IEnumerable<AuditFileHeader> Headers(string[] files, bool isFolder, CancellationToken cancellationToken)
    {
        foreach (string file in files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            AuditFileHeader? header = null;
            try
            {
                if (!File.Exists(file) && UnixFile.At(file, followLink: false) is null && !Directory.Exists(file))
                {
                    if (isFolder)   // it was there a moment ago: a name that was taken back, a file that was moved away
                        continue;
                    throw Unreadable(file, "is not there");
                }
                using var reader = AuditFileReader.Open(file);
                header = HeaderOf(file, reader);
            }
            catch (FormatException flaw)
            {
                _faults.Add(new AuditFinding(file, 1, flaw.Message));
            }
            if (header is not null)
                yield return header;
        }
    }
}
