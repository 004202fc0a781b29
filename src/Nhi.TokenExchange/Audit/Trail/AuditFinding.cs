using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Something about one line of an audit file.</summary>
public sealed class AuditFinding
{
    internal AuditFinding(string file, long line, string what)
    {
        File = file;
        Line = line;
        What = AuditText.Shown(what, 2000);   // names of files stand in it, too
    }

    /// <summary>The file's path.</summary>
    public string File { get; }

    /// <summary>The line, from 1; 0 where it is the whole file, or no file.</summary>
    public long Line { get; }

    /// <summary>What is the matter, in plain words, to follow upon "this line". One line of visible ASCII.</summary>
    public string What { get; }

    /// <summary>File, line and what: <c>orders.audit.jsonl:7 was changed: …</c>; of no line, <c>/var/log/orders has no file …</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{AuditText.Shown(File, 500)}{(Line == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $":{Line}"))} {What}");
}
