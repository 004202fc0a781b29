using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>One error of a policy document, or of a file of its tests.</summary>
/// <param name="Place">Where it stands.</param>
/// <param name="Path">The member, such as <c>rules[2].effect</c>; empty for the document as a whole.</param>
/// <param name="What">What was wrong, without a full stop.</param>
/// <param name="Remedy">What to do: a sentence.</param>
internal sealed record PolicyError(PolicyPlace Place, string Path, string What, string Remedy)
{
    /// <summary>As compilers write it: <c>nhi.policy.json(12,15) rules[2].effect: is none of the two words</c>; without a full stop.</summary>
    public string Of(string document) =>
        string.Create(CultureInfo.InvariantCulture, $"{document}({Place.Line},{Place.Column}){(Path.Length == 0 ? "" : " " + Path)}: {What}");
}

/// <summary>Collects what is wrong with a document, so that all of it is said at once.</summary>
/// <param name="document">The document's name in messages.</param>
internal sealed class PolicyErrors(string document)
{
    // Who has more reads the first ones and comes back.
    private const int MostTold = 50;
    private const int LongestPath = 120;

    private readonly List<PolicyError> _errors = [];

    public string Document { get; } = ExceptionText.Clean(document, 200);

    public int Count => _errors.Count;

    public void Add(PolicyNode node, string what, string remedy) => Add(node.Place, node.Path, what, remedy);

    public void Add(PolicyPlace place, string path, string what, string remedy) =>
        _errors.Add(new PolicyError(place, ExceptionText.Clean(path, LongestPath), what, remedy));   // names of members are anybody's text

    /// <summary>The first ones in the order of the document: what was wrong, with its place, and what to do.</summary>
    public IEnumerable<(string What, string Remedy)> Told =>
        _errors.OrderBy(error => error.Place.Line).ThenBy(error => error.Place.Column).Take(MostTold).Select(error => (error.Of(Document), error.Remedy));

    /// <exception cref="TokenExchangeException">There are errors (NHI1006).</exception>
    public void ThrowIfAny()
    {
        if (_errors.Count > 0)
            throw new TokenExchangeException(ErrorCodes.InvalidPolicy, ExchangeStage.Configure, ToString());
    }

    public override string ToString()
    {
        string[] lines = [.. Told.Select(error => $"{error.What}. {error.Remedy}")];
        if (lines.Length == 1)
            return lines[0];
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{_errors.Count} places of {Document} are wrong:");
        foreach (string line in lines)
            text.AppendLine().Append("  ").Append(line);
        if (_errors.Count > MostTold)
            text.AppendLine().Append(CultureInfo.InvariantCulture, $"  and {_errors.Count - MostTold} more");
        return text.ToString();
    }
}
