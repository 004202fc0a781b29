using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Reads the members of one object. Its shape is closed: a misspelt condition that was passed over would widen.</summary>
internal sealed class PolicyObject
{
    private readonly PolicyErrors _errors;
    private readonly SortedSet<string> _known = new(StringComparer.Ordinal);

    private PolicyObject(PolicyNode node, PolicyErrors errors)
    {
        Node = node;
        _errors = errors;
    }

    public PolicyNode Node { get; }

    /// <summary>The object at a node; null if it is none, which is noted.</summary>
    public static PolicyObject? Of(PolicyNode node, PolicyErrors errors, string remedy)
    {
        if (node.Kind == PolicyNodeKind.Object)
            return new PolicyObject(node, errors);
        errors.Add(node, $"is {node.Described}", remedy);
        return null;
    }

    /// <summary>A member; null if it is left out.</summary>
    public PolicyNode? Find(string name)
    {
        _known.Add(name);
        foreach ((string found, PolicyNode value) in Node.Members)
        {
            if (found == name)
                return value;
        }
        return null;
    }

    /// <summary>A member that must be there; null if it is not, which is noted.</summary>
    public PolicyNode? Require(string name, string remedy)
    {
        PolicyNode? found = Find(name);
        if (found is null)
            _errors.Add(Node, $"has no '{name}'", remedy);
        return found;
    }

    public PolicyObject? Object(string name, string remedy) => Find(name) is { } node ? Of(node, _errors, remedy) : null;

    public string? Text(string name, string remedy) => Find(name) is { } node ? TextOf(node, remedy) : null;

    public string? TextOf(PolicyNode node, string remedy)
    {
        if (node.Kind == PolicyNodeKind.Text)
            return node.Text;
        _errors.Add(node, $"is {node.Described}", remedy);
        return null;
    }

    /// <summary>True or false; left out, false.</summary>
    public bool Flag(string name)
    {
        if (Find(name) is not { } node)
            return false;
        if (node.Kind != PolicyNodeKind.Truth)
            _errors.Add(node, $"is {node.Described}", "Write true or false, without quotes.");
        return node.Text == "true";
    }

    /// <summary>A whole number within a range; null if it is left out or none, which is noted.</summary>
    public long? Number(string name, long least, long most)
    {
        if (Find(name) is not { } node)
            return null;
        if (node.Kind == PolicyNodeKind.Number && long.TryParse(node.Text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number >= least && number <= most)
            return number;
        _errors.Add(node, node.Kind == PolicyNodeKind.Number ? "is no whole number within its range" : $"is {node.Described}", string.Create(CultureInfo.InvariantCulture, $"Write a whole number from {least} to {most}, without quotes."));
        return null;
    }

    /// <summary>A time of the form <c>hh:mm:ss</c> within a range; null if it is left out or none, which is noted.</summary>
    public TimeSpan? Duration(string name, TimeSpan least, TimeSpan most)
    {
        string remedy = $"Write a time of the form hh:mm:ss, from {least:hh\\:mm\\:ss} to {most:hh\\:mm\\:ss}.";
        if (Find(name) is not { } node || TextOf(node, remedy) is not { } text)
            return null;
        if (TimeSpan.TryParseExact(text, @"hh\:mm\:ss", CultureInfo.InvariantCulture, out TimeSpan time) && time >= least && time <= most)
            return time;
        _errors.Add(node, "is no time within its range", remedy);
        return null;
    }

    /// <summary>A list of texts with at least one entry, none of them twice; null if it is left out or none, which is noted.</summary>
    public IReadOnlyList<PolicyNode>? Texts(string name, string remedy) => Find(name) is { } node ? TextsOf(node, remedy) : null;

    public IReadOnlyList<PolicyNode>? TextsOf(PolicyNode node, string remedy)
    {
        if (node.Kind != PolicyNodeKind.List)
        {
            _errors.Add(node, $"is {node.Described}", remedy);
            return null;
        }
        if (node.Members.Count == 0)
            _errors.Add(node, "is empty: nothing is in it, and nothing could match", remedy);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var texts = new List<PolicyNode>();
        foreach ((_, PolicyNode entry) in node.Members)
        {
            if (entry.Kind != PolicyNodeKind.Text)
                _errors.Add(entry, $"is {entry.Described}", "Write a text.");
            else if (!seen.Add(entry.Text!))
                _errors.Add(entry, "repeats an earlier entry", "Write each once.");
            else
                texts.Add(entry);
        }
        return texts;
    }

    /// <summary>Notes an error for each member that nobody asked for.</summary>
    public void Close()
    {
        foreach ((string name, PolicyNode value) in Node.Members.Where(member => !_known.Contains(member.Name)))
            _errors.Add(value, "is no member of this object", $"{(UnknownSetting.Nearest(name, _known) is { } nearest ? $"Did you mean {nearest}? " : "")}Known are: {string.Join(", ", _known)}.");
    }
}
