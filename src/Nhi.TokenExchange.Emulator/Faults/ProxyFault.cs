namespace Nhi.TokenExchange;

/// <summary>What a <see cref="FaultProxy"/> does to one connection. Bytes are counted per direction.</summary>
public sealed class ProxyFault
{
    private ProxyFault(string name) => Name = name;

    /// <summary>Forwards everything as it comes.</summary>
    public static ProxyFault None { get; } = new("none");

    /// <summary>What it does, for reports.</summary>
    public string Name { get; }

    internal bool ResetAtOnce { get; private init; }

    internal bool NeverForward { get; private init; }

    internal FlowRule Request { get; private init; } = FlowRule.Free;

    internal FlowRule Answer { get; private init; } = FlowRule.Free;

    /// <summary>Each piece of the answer waits.</summary>
    /// <param name="time">How long, on the proxy's clock.</param>
    public static ProxyFault Latency(TimeSpan time) => new($"latency {time}") { Answer = new FlowRule { Wait = time } };

    /// <summary>The answer comes byte by byte.</summary>
    /// <param name="interval">The pause before each byte, on the proxy's clock.</param>
    public static ProxyFault Drip(TimeSpan interval) => new($"drip {interval}") { Answer = new FlowRule { Wait = interval, Piece = 1 } };

    /// <summary>The connection is accepted and reset at once.</summary>
    public static ProxyFault Drop() => new("drop") { ResetAtOnce = true };

    /// <summary>The connection is accepted, and then nothing ever happens.</summary>
    public static ProxyFault BlackHole() => new("black hole") { NeverForward = true };

    /// <summary>The connection is reset when so many bytes of requests have gone through: the server may have seen a part, the client gets nothing.</summary>
    /// <param name="bytes">Not negative.</param>
    public static ProxyFault ResetAfterRequest(long bytes) => new($"reset after {bytes} of the request") { Request = new FlowRule { ResetAfter = bytes } };

    /// <summary>The connection is reset when so many bytes of answers have gone through.</summary>
    /// <param name="bytes">Not negative; 0: the server answers, the client sees a reset.</param>
    public static ProxyFault ResetAfterAnswer(long bytes) => new($"reset after {bytes} of the answer") { Answer = new FlowRule { ResetAfter = bytes } };

    /// <summary>After so many bytes of answers the connection is dead, and nobody is told: a firewall forgot it.</summary>
    /// <param name="bytes">Not negative.</param>
    public static ProxyFault HalfOpenAfterAnswer(long bytes) => new($"half-open after {bytes} of the answer") { Answer = new FlowRule { SilentAfter = bytes } };

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    /// <summary>The rule of one direction.</summary>
    internal sealed class FlowRule
    {
        public static readonly FlowRule Free = new();

        public TimeSpan Wait { get; init; }

        public int Piece { get; init; } = 16 * 1024;

        public long ResetAfter { get; init; } = long.MaxValue;

        public long SilentAfter { get; init; } = long.MaxValue;
    }
}
