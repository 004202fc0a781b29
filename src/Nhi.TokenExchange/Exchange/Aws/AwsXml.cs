using System.Text;
using System.Xml;

namespace Nhi.TokenExchange;

/// <summary>The texts of an answer in XML by the path of their elements, such as <c>ErrorResponse/Error/Code</c>. Reads no DTD, so there is no entity, no file and no address in it.</summary>
internal sealed class AwsXml
{
    private const int MostDepth = 8;
    private const int MostTexts = 64;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = 256 * 1024,
        IgnoreComments = true, IgnoreProcessingInstructions = true, IgnoreWhitespace = true,
    };

    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);

    /// <summary>The first thing that is wrong with it; null if nothing is. Quotes nothing of it.</summary>
    public string? Fault { get; private set; }

    /// <summary>The element that the fault is about, if it stands twice, in its issuer's words.</summary>
    public string? Twice { get; private set; }

    /// <summary>That of the outermost element.</summary>
    public string Namespace { get; private set; } = "";

    /// <summary>The text of an element; null if there is none or it is empty.</summary>
    public string? this[string path] => _texts.GetValueOrDefault(path) is { Length: > 0 } text ? text : null;

    /// <summary>Reads as far as it can: what was understood before a fault may have been issued.</summary>
    public static AwsXml Read(ReadOnlySpan<byte> utf8)
    {
        var xml = new AwsXml();
        try
        {
            using var reader = XmlReader.Create(new StringReader(Strict.GetString(utf8).TrimStart('\ufeff')), Settings);
            xml.Read(reader);
        }
        catch (Exception malformed) when (malformed is XmlException or DecoderFallbackException)
        {
            xml.Fault ??= "is not well-formed XML";
        }
        return xml;
    }

    private void Read(XmlReader reader)
    {
        var path = new List<string>();
        while (reader.Read())
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element when path.Count == MostDepth || _texts.Count == MostTexts:
                    Fault ??= "is nested too deep, or has too many elements";
                    return;
                case XmlNodeType.Element:
                    if (path.Count == 0)
                        Namespace = reader.NamespaceURI;
                    path.Add(reader.LocalName);
                    if (reader.IsEmptyElement)
                        path.RemoveAt(path.Count - 1);
                    break;
                case XmlNodeType.EndElement:
                    path.RemoveAt(path.Count - 1);
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA:
                    if (!_texts.TryAdd(string.Join('/', path), reader.Value) && Fault is null)
                        (Fault, Twice) = ("has an element twice", path[^1]);
                    break;
                default:
                    break;
            }
        }
    }
}
