using System.Buffers;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>The fields of one form (<c>application/x-www-form-urlencoded</c>), encoded by the book: no value can become a field.</summary>
internal sealed class FormBody
{
    // RFC 3986 §2.3
    private static readonly SearchValues<char> Unreserved = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    // Whoever holds the value of one of these can act as us.
    private static readonly string[] SecretFields = ["subject_token", "actor_token", "assertion", "client_assertion", "token", "WebIdentityToken"];

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly List<(string Name, string Value)> _fields = [];

    /// <summary>Adds a field if it has a value; a name that is there already is repeated, not replaced.</summary>
    public FormBody Add(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            _fields.Add((name, value));
        return this;
    }

    /// <summary>Notes the values that no message may show.</summary>
    public void TellSecrets(SentSecrets secrets)
    {
        foreach ((string name, string value) in _fields)
        {
            if (SecretFields.Contains(name))
                secrets.Add(value);
        }
    }

    /// <summary>Encodes the fields behind a part that was encoded before.</summary>
    public byte[] Encode(ReadOnlySpan<byte> prepared = default)
    {
        // Two passes: the first counts, so that nothing is left behind in a buffer that was too small.
        int length = prepared.Length;
        foreach ((string name, string value) in _fields)
            length += (length > 0 ? 1 : 0) + Encode(name, default) + 1 + Encode(value, default);
        byte[] body = new byte[length];
        prepared.CopyTo(body);
        int at = prepared.Length;
        foreach ((string name, string value) in _fields)
        {
            if (at > 0)
                body[at++] = (byte)'&';
            at += Encode(name, body.AsSpan(at));
            body[at++] = (byte)'=';
            at += Encode(value, body.AsSpan(at));
        }
        return body;
    }

    /// <summary>A body of a prepared part and these fields. Cleared when it is disposed of.</summary>
    public HttpContent ToContent(ReadOnlySpan<byte> prepared) => new ClearedContent(Encode(prepared));

    // Counts only, if there is no room given.
    private static int Encode(string text, Span<byte> into)
    {
        bool counts = into.IsEmpty;
        Span<byte> utf8 = stackalloc byte[4];
        int length = 0;
        for (ReadOnlySpan<char> rest = text; !rest.IsEmpty;)
        {
            int plain = rest.IndexOfAnyExcept(Unreserved);
            if (plain < 0)
                plain = rest.Length;
            if (!counts)
                Encoding.ASCII.GetBytes(rest[..plain], into[length..]);
            length += plain;
            rest = rest[plain..];
            if (rest.IsEmpty)
                break;
            Rune.DecodeFromUtf16(rest, out Rune rune, out int taken);   // half a surrogate pair is U+FFFD, as everywhere in .NET
            rest = rest[taken..];
            foreach (byte value in utf8[..rune.EncodeToUtf8(utf8)])
            {
                if (!counts && value == (byte)' ')
                    into[length] = (byte)'+';
                else if (!counts)
                    (into[length], into[length + 1], into[length + 2]) = ((byte)'%', Hex(value >> 4), Hex(value & 15));
                length += value == (byte)' ' ? 1 : 3;
            }
        }
        return length;
    }

    private static byte Hex(int digit) => (byte)(digit < 10 ? '0' + digit : 'A' + digit - 10);

    // Not pooled: a socket may still read from it when the answer came early and this is disposed of.
    private sealed class ClearedContent : ByteArrayContent
    {
        private readonly byte[] _body;

        public ClearedContent(byte[] body)
            : base(body)
        {
            _body = body;
            Headers.TryAddWithoutValidation("Content-Type", "application/x-www-form-urlencoded");
        }

        protected override void Dispose(bool disposing)
        {
            CryptographicOperations.ZeroMemory(_body);
            base.Dispose(disposing);
        }
    }
}
