namespace Nhi.TokenExchange;

internal enum PolicyNodeKind
{
    Object,
    List,
    Text,
    Number,
    Truth,
    Null,
}

/// <summary>A place in a document: both count from 1, columns in characters.</summary>
internal readonly record struct PolicyPlace(int Line, int Column);

/// <summary>One value of a JSON document, with where it stands.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Path">How it is reached, such as <c>rules[2].when.subject</c>; empty for the root.</param>
/// <param name="Place">Where it begins.</param>
/// <param name="Text">The text; of a number its digits, of a truth value its word; null for the rest.</param>
/// <param name="Members">Of an object its members, of a list its entries under no name.</param>
internal sealed record PolicyNode(PolicyNodeKind Kind, string Path, PolicyPlace Place, string? Text, IReadOnlyList<(string Name, PolicyNode Value)> Members)
{
    /// <summary>The kind in words, for an error: "is a list".</summary>
    public string Described => Kind switch
    {
        PolicyNodeKind.Object => "an object",
        PolicyNodeKind.List => "a list",
        PolicyNodeKind.Text => "a text",
        PolicyNodeKind.Number => "a number",
        PolicyNodeKind.Truth => Text!,
        _ => "null",
    };
}
