namespace Nhi.TokenExchange;

/// <summary>What is said of a setting that nobody asked for: the nearest known name, or why there is no such switch.</summary>
internal static class UnknownSetting
{
    // Fewer letters are part of too much.
    private const int ShortestPart = 4;

    // Parts of the names by which other products switch the check of certificates off.
    private static readonly string[] TlsSwitches = ["insecure", "tlsverif", "sslverif", "verifytls", "verifyssl", "skipverif", "ignorecert", "validatecert", "trustservercert", "certificatevalidation", "anycertificate", "dangerous"];

    // Those by which they say when to fetch anew.
    private static readonly string[] RefreshRules = ["refreshbefore", "refreshahead", "refreshinterval", "refreshmargin", "refreshwindow", "refreshon", "renewbefore", "expirybuffer", "expirationbuffer", "expirywindow"];

    private static readonly string[] Proxies = ["proxy"];

    public static void Add(ConfigurationErrors errors, string path, string name, IReadOnlyCollection<string> known)
    {
        string flat = name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
        if (Has(TlsSwitches))
            errors.Add(path, "is not a setting: nothing here weakens TLS", "Take it out, and name the file of your certificate authority as TrustRoots, or add it to the system's bundle.");
        else if (Has(RefreshRules))
            errors.Add(path, "is not a setting: when to refresh follows from the life of each credential", "Take it out; MaxLifetime shortens how long one is handed out.");
        else if (Has(Proxies))
            errors.Add(path, "is not a setting: the way to issuers is the platform's", "Take it out, and set HTTPS_PROXY and NO_PROXY for the process.");
        else if (Nearest(name, known) is { } nearest)
            errors.Add(path, "is an unknown setting", $"Did you mean {nearest}? Known are: {string.Join(", ", known)}.");
        else
            errors.Add(path, "is an unknown setting", known.Count == 0 ? "Take it out." : $"Take it out. Known are: {string.Join(", ", known)}.");

        bool Has(string[] parts) => parts.Any(part => flat.Contains(part, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>The known word that is at most a third of its letters away, and has two in common, else the shortest that contains it; null if there is none.</summary>
    public static string? Nearest(string word, IEnumerable<string> known)
    {
        string[] words = [.. known];
        return word.Length > 64 ? null : Misspelt(word, words) ?? (word.Length < ShortestPart ? null : words.Where(candidate => candidate.Contains(word, StringComparison.OrdinalIgnoreCase)).MinBy(candidate => candidate.Length));
    }

    private static string? Misspelt(string word, string[] known) =>
        known
            .Select(candidate => (Name: candidate, Distance: Distance(word.ToUpperInvariant(), candidate.ToUpperInvariant())))
            .Where(candidate => candidate.Distance <= Math.Max(2, candidate.Name.Length / 3) && candidate.Distance < candidate.Name.Length - 1)
            .OrderBy(candidate => candidate.Distance)
            .Select(candidate => candidate.Name)
            .FirstOrDefault();

    // Levenshtein, one row at a time.
    private static int Distance(string left, string right)
    {
        int[] row = [.. Enumerable.Range(0, right.Length + 1)];
        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[right.Length];
    }
}
