using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Damages texts, bytes, JSON and JWTs by chance that a seed gives: the same seed, the same damage.</summary>
internal sealed class Mutator(Random chance)
{
    // What readers stumble over: ends of strings and lines, escapes, other scripts, signs of numbers, the beginning of a JWT.
    private static readonly string[] Splinters =
        ["\0", "\r\n", "\"", "\\", "{", "}", "[", "]", ",", ":", ".", "=", "%00", "%", "\u202e", "\u200b", "\u00e9", "\uFEFF", " ", "e", "-", "eyJ", "\\ud800", "\\u0000", "null", "1e400", "../", "://", "@", "$", "~"];

    // JSON values of every kind, at and beyond the edges of ours.
    private static readonly Lazy<string[]> Values = new(() =>
    [
        "null", "true", "0", "-1", "1", "-0", "3600.5", "1e400", "1e3", "9223372036854775808", "99999999999999999999999999", "4102444800", "\"\"", "\"3600\"", "\"-1\"", "\"NaN\"",
        "\"\\ud800\"", "\"\\u0000\"", "\"a\\r\\nb: c\"", "\"\\u202e\"", "[]", "{}", "[null]", "[[]]", "{\"a\":{\"b\":null}}", "\"https://elsewhere.example/\"", "\"http://169.254.169.254/\"", "\"file:///etc/passwd\"", "\"//\"",
        Nested('[', ']', 20), Nested('[', ']', 5_000), string.Concat(Enumerable.Repeat("{\"a\":", 20)) + "1" + new string('}', 20), $"\"{new string('x', 70_000)}\"", new string('9', 5_000),
        "", "tru", "\"open", "{", "[1", "01", "'a'",
    ]);

    public int Below(int count) => chance.Next(count);

    public bool OnceIn(int count) => chance.Next(count) == 0;

    public T OneOf<T>(params ReadOnlySpan<T> choices) => choices[chance.Next(choices.Length)];

    /// <summary>Letters and digits that nobody has seen before.</summary>
    public string Hex(int bytes)
    {
        byte[] made = new byte[bytes];
        chance.NextBytes(made);
        return Convert.ToHexStringLower(made);
    }

    /// <summary>A text with one to three wounds.</summary>
    public string Text(string text)
    {
        for (int hits = 1 + Below(3); hits > 0; hits--)
            text = Hit(text);
        return text;
    }

    /// <summary>Bytes with one to three wounds.</summary>
    public byte[] Bytes(byte[] bytes)
    {
        List<byte> damaged = [.. bytes];
        for (int hits = 1 + Below(3); hits > 0 && damaged.Count > 0; hits--)
        {
            int at = Below(damaged.Count);
            switch (Below(4))
            {
                case 0: damaged[at] ^= (byte)(1 << Below(8)); break;
                case 1: damaged.Insert(at, OneOf<byte>(0, 0xff, 0xc0, 0xed, 0xef, 0x22, 0x5c)); break;
                case 2: damaged.RemoveAt(at); break;
                default: damaged.RemoveRange(at, damaged.Count - at); break;
            }
        }
        return [.. damaged];
    }

    /// <summary>A JSON object with one to three members taken out, changed, copied, exchanged, added or said twice; at times a text that is JSON no more.</summary>
    /// <param name="json">A JSON object.</param>
    /// <param name="names">Names to add.</param>
    public string Json(string json, params ReadOnlySpan<string> names)
    {
        if (OnceIn(4))
            return Text(json);
        var root = (JsonObject)JsonNode.Parse(json)!;
        // A tree can't hold what is no JSON, nor a name twice: a mark stands for it until the text is made.
        var marks = new List<(string Mark, string Text)>();
        for (int hits = 1 + Below(3); hits > 0; hits--)
            Hit(root, names, marks);
        string text = root.ToJsonString();
        foreach ((string mark, string stands) in marks)
            text = text.Replace($"\"{mark}\"", stands, StringComparison.Ordinal);
        return text;
    }

    /// <summary>A compact JWT with another header, other claims, another signature, more or fewer parts.</summary>
    public string Jwt(string jwt)
    {
        string[] parts = jwt.Split('.');
        return Below(8) switch
        {
            0 or 1 => $"{Part(parts[0], "alg", "typ", "kid", "crit", "jku", "jwk", "x5u", "b64", "cty", "zip", "enc")}.{parts[1]}.{parts[2]}",
            2 or 3 or 4 => $"{parts[0]}.{Part(parts[1], "iss", "sub", "aud", "exp", "nbf", "iat", "typ", "idtyp", "upn", "amr", "scp", "auth_time", "email", "a/b")}.{parts[2]}",
            5 => $"{parts[0]}.{parts[1]}.{OneOf("", parts[2][..Below(parts[2].Length)], parts[2] + "A", parts[2] + "==", parts[2] + "." + parts[2], parts[2] + ".x.y")}",
            6 => OneOf($"{parts[0]}.{parts[1]}", $".{parts[1]}.{parts[2]}", $"{parts[0]}..{parts[2]}", "..", "....", parts[0], $"{parts[1]}.{parts[0]}.{parts[2]}", jwt + "\n", jwt + "\r\n\r\n", " " + jwt, "\uFEFF" + jwt),
            _ => Text(jwt),
        };
    }

    private string Part(string part, params ReadOnlySpan<string> names) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Json(Encoding.UTF8.GetString(Base64Url.DecodeFromChars(part)), names)));

    private string Hit(string text)
    {
        int at = Below(text.Length + 1);
        int length = Math.Min(Below(12), text.Length - at);
        return Below(8) switch
        {
            0 => text[..at],
            1 => text.Remove(at, length),
            2 or 3 => text.Insert(at, OneOf(Splinters)),
            4 => text.Insert(at, text.Substring(at, length)),
            5 when at < text.Length => $"{text[..at]}{(char)Below(0x250)}{text[(at + 1)..]}",
            6 => text.Insert(at, new string(OneOf('a', '{', '[', '9', ' '), 1 << Below(16))),
            _ => text[at..] + text[..at],
        };
    }

    private void Hit(JsonObject root, ReadOnlySpan<string> names, List<(string, string)> marks)
    {
        JsonObject place = OneOf<JsonObject>([.. Objects(root)]);
        string[] own = [.. place.Select(member => member.Key)];
        string name = own.Length == 0 ? "a" : OneOf<string>(own);
        switch (Below(6))
        {
            case 0:
                place.Remove(name);
                break;
            case 1 or 2:
                place[name] = Mark(OneOf<string>(Values.Value), marks);
                break;
            case 3:
                place[OneOf<string>([.. names, .. own, "a"])] = Mark(OneOf<string>(Values.Value), marks);
                break;
            case 4:
                string twice = OneOf<string>([.. own, "a"]);
                JsonNode? value = OnceIn(2) ? place[name]?.DeepClone() : Mark(OneOf<string>(Values.Value), marks);
                place[(string)Mark(JsonValue.Create(twice).ToJsonString(), marks)!] = value;
                break;
            default:
                string other = own.Length == 0 ? "a" : OneOf<string>(own);
                JsonNode? copy = place[name]?.DeepClone();
                if (OnceIn(2))
                    place[name] = place[other]?.DeepClone();
                place[other] = copy;
                break;
        }
    }

    private static JsonNode Mark(string stands, List<(string, string)> marks)
    {
        string mark = $"@@{marks.Count}@@";
        marks.Add((mark, stands));
        return JsonValue.Create(mark);
    }

    private static IEnumerable<JsonObject> Objects(JsonNode? node)
    {
        if (node is JsonObject here)
        {
            yield return here;
            foreach (JsonObject below in here.SelectMany(member => Objects(member.Value)))
                yield return below;
        }
    }

    private static string Nested(char open, char close, int depth) => new string(open, depth) + new string(close, depth);
}
