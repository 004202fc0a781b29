using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Events that go to the collector in one request, in the order of their chain.</summary>
/// <param name="Chain">The chain.</param>
/// <param name="Events">At least one: the number of its line, the line as it is in the spool, and where the event is in it.</param>
internal sealed record CollectorBatch(Guid Chain, IReadOnlyList<(long Sequence, byte[] Line, Range Event)> Events)
{
    private static ReadOnlySpan<byte> Metadata => "\"metadata\":{"u8;

    /// <summary>Names what is in it: two requests with the same one have the same bytes, also of two processes.</summary>
    public string Key => string.Create(CultureInfo.InvariantCulture, $"{Chain:D}:{Events[0].Sequence}-{Events[^1].Sequence}");

    /// <summary>The two halves of one of several events: the same ones whenever it is halved.</summary>
    public (CollectorBatch First, CollectorBatch Second) Halves => (this with { Events = [.. Events.Take(Events.Count / 2)] }, this with { Events = [.. Events.Skip(Events.Count / 2)] });

    /// <summary>The body of its request. Each event gets <c>metadata.uid</c> and <c>metadata.sequence</c>, by which a collector tells one that came twice.</summary>
    public byte[] Body(AuditCollectorFormat format)
    {
        using var body = new MemoryStream();
        bool isArray = format == AuditCollectorFormat.JsonArray;
        foreach ((long sequence, byte[] line, Range part) in Events)
        {
            if (isArray)
                body.WriteByte(body.Length == 0 ? (byte)'[' : (byte)',');
            ReadOnlySpan<byte> json = line.AsSpan()[part];
            // No text of an event has a bare quote in it, so this is the member and nothing else.
            int at = json.IndexOf(Metadata) + Metadata.Length;
            body.Write(json[..at]);
            body.Write(System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\"uid\":\"{Chain:D}:{sequence}\",\"sequence\":{sequence},")));
            body.Write(json[at..]);
            if (!isArray)
                body.WriteByte((byte)'\n');
        }
        if (isArray)
            body.WriteByte((byte)']');
        return body.ToArray();
    }

    /// <summary>Reads a line of a spool.</summary>
    /// <param name="line">Without its end.</param>
    /// <param name="sequence">Its number.</param>
    /// <param name="json">Where its event is; empty where the line is one of the chain's own.</param>
    /// <returns>False: it is not as it was written.</returns>
    public static bool TryRead(ReadOnlySpan<byte> line, out long sequence, out Range json)
    {
        (sequence, json) = (0, default);
        if (!ChainLine.TryRead(line, out ChainLine read) || !read.IsWhatWasHashed(line))
            return false;
        ReadOnlySpan<byte> text = line[read.Event];
        sequence = read.Sequence;
        if (text.StartsWith("{\"kind\":"u8))
            return true;
        json = read.Event;
        return text.IndexOf(Metadata) >= 0;
    }
}
